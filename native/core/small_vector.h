// A growing array that begins in place, so that short ones cost no allocation.
#pragma once
#include <cstddef>
#include <cstring>
#include <memory>
#include <type_traits>

namespace torchscript {

template <class T, size_t kInline> class SmallVector {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  SmallVector() = default;
  SmallVector(const SmallVector&) = delete;
  SmallVector& operator=(const SmallVector&) = delete;

  void push_back(const T& item) { append(&item, 1); }
  void append(const T* items, size_t n) {
    if (n == 0) return;
    if (size_ + n > capacity_) grow(size_ + n);
    std::memcpy(data_ + size_, items, n * sizeof(T));
    size_ += n;
  }
  void clear() { size_ = 0; }
  const T* data() const { return data_; }
  T* data() { return data_; }
  size_t size() const { return size_; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& operator[](size_t i) { return data_[i]; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }

 private:
  void grow(size_t needed) {
    size_t capacity = capacity_ * 2 > needed ? capacity_ * 2 : needed;
    auto larger = std::make_unique<T[]>(capacity);
    std::memcpy(larger.get(), data_, size_ * sizeof(T));
    heap_ = std::move(larger);
    data_ = heap_.get();
    capacity_ = capacity;
  }
  T inline_[kInline];
  T* data_ = inline_;
  size_t size_ = 0, capacity_ = kInline;
  std::unique_ptr<T[]> heap_;
};

}  // namespace torchscript
