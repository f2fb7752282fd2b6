// Files mapped into memory.
#pragma once
#include <cstddef>
#include <mutex>
#include <set>
#include <string>

namespace torchscript {

struct Storage;

// A whole file, mapped privately: writing into it copies the page and never reaches the file. Pages are read when they are
// touched, so mapping costs the same for any size. A file that another process truncates while it is mapped kills the
// process that touches the lost pages, as with every mapping.
class FileMapping {
 public:
  // Throws std::system_error with the system's reason. An empty file gives an empty mapping.
  explicit FileMapping(const std::string& path);
  FileMapping(const FileMapping&) = delete;
  FileMapping& operator=(const FileMapping&) = delete;
  ~FileMapping();

  void* data() const { return data_; }
  size_t bytes() const { return bytes_; }

  // Called before anything writes into the mapping, or may. Storages that are computed from it are computed now.
  void about_to_write();
  // A storage whose contents are computed from the file when somebody needs them. False once the mapping was written, or may have been.
  bool add_dependent(Storage& storage);
  void remove_dependent(Storage& storage);
  // Whether most of what has been touched lies on huge pages, as systems with large folios in their page cache have it.
  bool on_huge_pages() const;
  // Gives the memory of a range back, which is read from the file again when somebody needs it. Does nothing once the mapping was written.
  void drop(const void* begin, size_t bytes);

 private:
  std::mutex mutex_;
  bool written_ = false;
  // Recursive: what is computed may let go of the last reference to another dependent.
  std::recursive_mutex dependents_mutex_;
  std::set<Storage*> dependents_;
  void* data_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace torchscript
