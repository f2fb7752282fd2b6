#include "core/mmap.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <system_error>

#include "core/tensor.h"

namespace torchscript {

namespace {

struct Descriptor {
  int fd;
  ~Descriptor() {
    if (fd >= 0) close(fd);
  }
};

[[noreturn]] void fail(const char* what, const std::string& path) {
  throw std::system_error(errno, std::generic_category(), std::string("Cannot ") + what + " " + path);
}

}  // namespace

FileMapping::FileMapping(const std::string& path) {
  Descriptor file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.fd < 0) fail("open", path);
  struct stat info;
  if (fstat(file.fd, &info) != 0) fail("examine", path);
  if (!S_ISREG(info.st_mode)) {
    errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
    fail("map", path);
  }
  bytes_ = static_cast<size_t>(info.st_size);
  if (bytes_ == 0) return;
  int flags = MAP_PRIVATE;
#ifdef MAP_NORESERVE
  // Pages that nobody writes need no swap space set aside.
  flags |= MAP_NORESERVE;
#endif
  void* data = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, flags, file.fd, 0);
  if (data == MAP_FAILED) fail("map", path);
  data_ = data;
}

FileMapping::~FileMapping() {
  if (data_) munmap(data_, bytes_);
}

void FileMapping::about_to_write() {
  std::lock_guard<std::recursive_mutex> together(dependents_mutex_);
  while (!dependents_.empty()) {
    Storage* storage = *dependents_.begin();
    dependents_.erase(dependents_.begin());
    storage->settle();
  }
  std::lock_guard<std::mutex> lock(mutex_);
  written_ = true;
}

bool FileMapping::add_dependent(Storage& storage) {
  std::lock_guard<std::recursive_mutex> together(dependents_mutex_);
  std::lock_guard<std::mutex> lock(mutex_);
  if (written_) return false;
  dependents_.insert(&storage);
  return true;
}

void FileMapping::remove_dependent(Storage& storage) {
  std::lock_guard<std::recursive_mutex> together(dependents_mutex_);
  dependents_.erase(&storage);
}

bool FileMapping::on_huge_pages() const {
#ifdef __linux__
  // `begin-end flags ...` of a mapping, then lines such as `FilePmdMapped:   2048 kB`.
  std::ifstream maps("/proc/self/smaps");
  char begin[32];
  std::snprintf(begin, sizeof begin, "%08lx-", reinterpret_cast<unsigned long>(data_));
  size_t kilobytes = 0;
  bool here = false;
  for (std::string line; std::getline(maps, line);) {
    if (line.rfind(begin, 0) == 0) here = true;
    else if (here && !line.empty() && !(line[0] >= 'A' && line[0] <= 'Z')) break;
    else if (here && (line.rfind("FilePmdMapped:", 0) == 0 || line.rfind("ShmemPmdMapped:", 0) == 0))
      kilobytes += std::strtoull(line.c_str() + line.find(':') + 1, nullptr, 10);
  }
  return kilobytes * 1024 > bytes_ / 2;
#else
  return false;
#endif
}

void FileMapping::drop(const void* begin, size_t bytes) {
#ifdef __linux__
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  uintptr_t from = (reinterpret_cast<uintptr_t>(begin) + page - 1) & ~(page - 1);
  uintptr_t to = (reinterpret_cast<uintptr_t>(begin) + bytes) & ~(page - 1);
  if (to <= from) return;
  std::lock_guard<std::mutex> lock(mutex_);
  if (!written_) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
#else
  // Elsewhere the advice may leave pages as they are, or is not there.
  (void)begin;
  (void)bytes;
#endif
}

}  // namespace torchscript
