#include "cuda/kernel_cache.h"

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <mutex>

#if defined(_WIN32)
#include <process.h>
#define getpid _getpid
#else
#include <unistd.h>
#endif

#include "cuda/driver.h"

namespace torchscript::cuda {
namespace {

constexpr char kMagic[8] = {'T', 'S', 'P', 'T', 'X', '0', '0', '1'};
struct EntryHead {
  char magic[8];
  uint64_t driver, text, compiled;  // version, bytes
  uint64_t digest;                  // of both
};

uint64_t digest_of(const std::string& text, const char* compiled, size_t bytes) {
  uint64_t h = 0xcbf29ce484222325u;
  const auto add = [&](const char* p, size_t n) {
    for (size_t i = 0; i < n; i++) h = (h ^ static_cast<unsigned char>(p[i])) * 0x100000001b3u;
  };
  add(text.data(), text.size());
  add(compiled, bytes);
  return h;
}

std::mutex folder_mutex;
std::string& folder() {
  static auto* chosen = [] {
    const char* given = std::getenv("TORCHSCRIPT_CUDA_CACHE");
    return new std::string(given ? given : "");
  }();
  return *chosen;
}

std::vector<char> read_entry(const std::string& path, const std::string& text) {
  std::vector<char> bytes;
  if (std::FILE* file = std::fopen(path.c_str(), "rb")) {
    char buffer[16384];
    for (size_t n; (n = std::fread(buffer, 1, sizeof buffer, file)) > 0;) bytes.insert(bytes.end(), buffer, buffer + n);
    std::fclose(file);
  }
  EntryHead head;
  if (bytes.size() < sizeof head) return {};
  std::memcpy(&head, bytes.data(), sizeof head);
  const size_t rest = bytes.size() - sizeof head;
  if (std::memcmp(head.magic, kMagic, sizeof kMagic) != 0 || head.driver != static_cast<uint64_t>(driver().version)) return {};
  if (head.text != text.size() || rest < head.text || head.compiled != rest - head.text) return {};
  const char* compiled = bytes.data() + sizeof head + text.size();
  if (std::memcmp(bytes.data() + sizeof head, text.data(), text.size()) != 0 || digest_of(text, compiled, head.compiled) != head.digest)
    return {};
  return {compiled, compiled + head.compiled};
}

// What cannot be stored is compiled again by the next process.
void write_entry(const std::string& path, const std::string& text, const std::vector<char>& compiled) {
  static std::atomic<int> written{0};
  const std::string part = path + "-" + std::to_string(getpid()) + "-" + std::to_string(written++) + ".part";
  EntryHead head;
  std::memcpy(head.magic, kMagic, sizeof kMagic);
  head.driver = static_cast<uint64_t>(driver().version);
  head.text = text.size();
  head.compiled = compiled.size();
  head.digest = digest_of(text, compiled.data(), compiled.size());
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
  std::FILE* file = std::fopen(part.c_str(), "wb");
  if (!file) return;
  bool whole = std::fwrite(&head, sizeof head, 1, file) == 1;
  whole = whole && std::fwrite(text.data(), 1, text.size(), file) == text.size();
  whole = whole && std::fwrite(compiled.data(), 1, compiled.size(), file) == compiled.size();
  whole = std::fclose(file) == 0 && whole;
  if (whole) std::filesystem::rename(part, path, error);
  if (!whole || error) std::filesystem::remove(part, error);
}

std::vector<char> compile(const std::string& name, const std::string& text) {
  const Driver& d = driver();
  if (!d.link_create || !d.link_add_data || !d.link_complete || !d.link_destroy) return {};
  LinkHandle link = nullptr;
  if (d.link_create(0, nullptr, nullptr, &link) != kSuccess) return {};
  std::vector<char> compiled;
  void* cubin = nullptr;
  size_t bytes = 0;
  const Result added =
    d.link_add_data(link, kJitInputPtx, const_cast<char*>(text.c_str()), text.size() + 1, name.c_str(), 0, nullptr, nullptr);
  // The result is the link's memory.
  if (added == kSuccess && d.link_complete(link, &cubin, &bytes) == kSuccess)
    compiled.assign(static_cast<char*>(cubin), static_cast<char*>(cubin) + bytes);
  d.link_destroy(link);
  return compiled;
}

}  // namespace

void set_kernel_folder(const std::string& path) {
  std::lock_guard<std::mutex> lock(folder_mutex);
  folder() = path;
}
std::string kernel_folder() {
  std::lock_guard<std::mutex> lock(folder_mutex);
  return folder();
}

std::vector<char> compiled_kernel(const std::string& name, const std::string& text, const std::string& chip) {
  const std::string where = kernel_folder();
  if (where.empty()) return {};
  const std::string path = where + "/" + name + "-" + chip + ".cuda";
  std::vector<char> compiled = read_entry(path, text);
  if (!compiled.empty()) return compiled;
  compiled = compile(name, text);
  if (!compiled.empty()) write_entry(path, text, compiled);
  return compiled;
}

}  // namespace torchscript::cuda
