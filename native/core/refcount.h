// Intrusive, thread-safe reference counting.
#pragma once
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <new>
#include <utility>

namespace torchscript {

struct RefCounted {
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;
  virtual ~RefCounted() = default;
  void retain() const { refs_.fetch_add(1, std::memory_order_relaxed); }
  void release() const {
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  uint32_t use_count() const { return refs_.load(std::memory_order_relaxed); }

 private:
  mutable std::atomic<uint32_t> refs_{0};
};

// Memory of small objects of one class, kept by the thread that freed them: `operator new` and `operator delete` of classes that come and go
// with every operator.
template <class T> struct Recycled {
  static void* operator new(size_t size) {
    List& l = list();
    if (size == sizeof(T) && l.count > 0) return l.items[--l.count];
    return ::operator new(size);
  }
  static void operator delete(void* p, size_t size) {
    List& l = list();
    if (size == sizeof(T) && l.count < kKept) l.items[l.count++] = p;
    else ::operator delete(p);
  }

 private:
#if defined(__SANITIZE_ADDRESS__)
  static constexpr int kKept = 0;  // reuse would hide accesses after the end of an object's life
#else
  static constexpr int kKept = 64;
#endif
  struct List {
    void* items[kKept + 1];
    int count = 0;
    ~List() {
      while (count > 0) ::operator delete(items[--count]);
      count = kKept;  // what dies later on this thread is freed at once
    }
  };
  static List& list() {
    static thread_local List l;
    return l;
  }
};

template <class T> class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  explicit Ref(T* p) : p_(p) {
    if (p_) p_->retain();
  }
  Ref(const Ref& o) : p_(o.p_) {
    if (p_) p_->retain();
  }
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  template <class U> Ref(const Ref<U>& o) : p_(o.get()) {
    if (p_) p_->retain();
  }
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_) p_->release();
  }
  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  bool operator==(const Ref& o) const { return p_ == o.p_; }
  // Gives up ownership without releasing; adopt() takes it back.
  T* detach() { return std::exchange(p_, nullptr); }
  static Ref adopt(T* p) {
    Ref r;
    r.p_ = p;
    return r;
  }

 private:
  T* p_ = nullptr;
};

template <class T, class... A> Ref<T> make_ref(A&&... args) { return Ref<T>(new T(std::forward<A>(args)...)); }

}  // namespace torchscript
