#include "core/pack_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <system_error>
#include <vector>

#include "core/digest.h"
#include "core/memory.h"
#include "core/mmap.h"
#include "core/pack.h"
#include "core/registry.h"

namespace torchscript {
namespace {

// A header, packed forms at multiples of kAlignment, and a table that says what they are. Numbers are those of the machine, whose
// instruction set is in the header.
struct Header {
  char magic[8];
  uint32_t version;
  uint32_t isa;
  uint64_t bytes;  // of the file
  uint64_t table;  // where it begins; it ends with the file
  uint64_t count;
  Digest contents;  // of all after the header
  uint64_t reserved;
};
static_assert(sizeof(Header) == 64);
constexpr char kMagic[8] = {'T', 'S', 'P', 'A', 'C', 'K', 'E', 'D'};
constexpr uint32_t kVersion = 1;
// From this size on pages are too many for the processor to remember where they are.
constexpr size_t kReach = 8 << 20;

struct Record {
  Digest weight;
  uint64_t offset, bytes;
  uint32_t name_bytes, key_bytes;  // which follow
};

class File {
 public:
  explicit File(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "wb")) {
    if (!file_) fail();
  }
  ~File() {
    if (file_) std::fclose(file_);
  }
  void write(const void* data, size_t bytes) {
    if (bytes && std::fwrite(data, 1, bytes, file_) != bytes) fail();
    at_ += bytes;
  }
  void align() {
    static const char zeros[kAlignment] = {};
    write(zeros, (kAlignment - at_ % kAlignment) % kAlignment);
  }
  void rewrite_header(const Header& header) {
    if (std::fseek(file_, 0, SEEK_SET) != 0) fail();
    write(&header, sizeof header);
    FILE* file = file_;
    file_ = nullptr;
    if (std::fclose(file) != 0) fail();
  }
  uint64_t at() const { return at_; }

 private:
  [[noreturn]] void fail() { throw std::system_error(errno, std::generic_category(), "Cannot write " + path_); }
  std::string path_;
  FILE* file_;
  uint64_t at_ = 0;
};

template <class T> void append(std::string& text, const T& value) { text.append(reinterpret_cast<const char*>(&value), sizeof value); }

}  // namespace

void write_packs(Program& program, const std::string& path) {
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.version = kVersion;
  header.isa = static_cast<uint32_t>(active_isa());
  File file(path);
  file.write(&header, sizeof header);
  std::string table;
  // Everything after the header, piece by piece: their digests are digested.
  std::string parts;
  for (const WeightIdentity& weight : program.identified_weights()) {
    // What was written since is other than the digest says.
    if (weight.storage->version.load(std::memory_order_acquire) != weight.version) continue;
    for (const auto& entry : packs_of(*weight.storage)) {
      if (entry->device != kCpuDevice) continue;
      if (entry->version != weight.version) continue;
      file.align();
      Record record{weight.digest, file.at(), entry->bytes, static_cast<uint32_t>(std::strlen(entry->row->name)),
                    static_cast<uint32_t>(entry->key.size())};
      append(table, record);
      table.append(entry->row->name);
      table.append(entry->key);
      file.write(entry->data, entry->bytes);
      append(parts, digest_of(entry->data, entry->bytes));
      header.count++;
    }
  }
  file.align();
  header.table = file.at();
  file.write(table.data(), table.size());
  append(parts, digest_of(table));
  header.bytes = file.at();
  header.contents = digest_of(parts);
  file.rewrite_header(header);
}

size_t read_packs(Program& program, const std::string& path, std::string* problem) {
  std::shared_ptr<FileMapping> map;
  try {
    map = std::make_shared<FileMapping>(path);
  } catch (const std::system_error& e) {
    *problem = e.what();
    return 0;
  }
  const auto refuse = [&](const char* why) -> size_t {
    *problem = why;
    return 0;
  };
  const size_t size = map->bytes();
  const char* begin = static_cast<const char*>(map->data());
  Header header;
  if (size < sizeof header) return refuse("it is too short");
  std::memcpy(&header, begin, sizeof header);
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0 || header.version != kVersion) return refuse("it is not one of this version");
  if (header.isa != static_cast<uint32_t>(active_isa())) return refuse("it is for another instruction set");
  if (header.bytes != size || header.table < sizeof header || header.table > size) return refuse("its size is wrong");
  struct Entry {
    Record record;
    const Kernel* row;
    std::string key;
  };
  std::vector<Entry> entries;
  std::string parts;
  const char* at = begin + header.table;
  const char* end = begin + size;
  for (uint64_t i = 0; i < header.count; i++) {
    Record r;
    if (static_cast<size_t>(end - at) < sizeof r) return refuse("its table is damaged");
    std::memcpy(&r, at, sizeof r);
    at += sizeof r;
    if (static_cast<size_t>(end - at) < size_t{r.name_bytes} + r.key_bytes) return refuse("its table is damaged");
    if (r.offset < sizeof header || r.offset % kAlignment != 0 || r.offset > header.table || r.bytes > header.table - r.offset)
      return refuse("its table is damaged");
    entries.push_back({r, find_kernel(std::string(at, r.name_bytes)), std::string(at + r.name_bytes, r.key_bytes)});
    at += r.name_bytes + r.key_bytes;
    append(parts, digest_of(begin + r.offset, r.bytes));
  }
  if (at != end) return refuse("its table is damaged");
  append(parts, digest_of(begin + header.table, size - header.table));
  if (!(digest_of(parts) == header.contents)) return refuse("its contents are damaged");
  std::map<Digest, const WeightIdentity*> weights;
  for (const WeightIdentity& weight : program.identified_weights()) weights.emplace(weight.digest, &weight);
  // A pass over weights on small pages takes up to a third longer. Where the file system has no larger ones for the file they are copied, to memory
  // that other processes do not share.
  const bool copies = size >= kReach && has_huge_pages() && !map->on_huge_pages();
  size_t found = 0;
  for (Entry& e : entries) {
    auto weight = weights.find(e.record.weight);
    if (weight == weights.end() || !e.row) continue;
    auto entry = std::make_shared<PackEntry>();
    entry->row = e.row;
    entry->key = std::move(e.key);
    entry->version = weight->second->version;
    entry->bytes = e.record.bytes;
    entry->data = const_cast<char*>(begin) + e.record.offset;
    if (copies) {
      void* own = allocate_lasting(entry->bytes);
      std::memcpy(own, entry->data, entry->bytes);
      map->drop(entry->data, entry->bytes);
      entry->data = own;
    } else {
      entry->file = map;
    }
    add_pack(std::move(entry), *weight->second->storage);
    found++;
  }
  return found;
}

}  // namespace torchscript
