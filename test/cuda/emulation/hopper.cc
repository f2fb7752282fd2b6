#pragma GCC optimize("O3")
#include "hopper.h"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cuda_emulation.h"
#include "execute.h"

namespace emulation {
namespace {

// Shared addresses begin where those of a block do: a kilobyte belongs to the system.
constexpr uint32_t kWindow = 1024;
const char* window_begin = nullptr;
char* shared_begin = nullptr;
size_t shared_bytes = 0;
// What the copy engine and wgmma see.
std::vector<char> async_view;

bool active = false;       // in the running block
bool late_copies = false;  // and operands that are read at once; else the other way round
unsigned blocks_run = 0;
uint32_t dice = 1;

char* generic(uint32_t address, size_t bytes, const char* what) {
  const char* p = window_begin + (address - kWindow);
  if (address < kWindow || p < shared_begin || p + bytes > shared_begin + shared_bytes)
    leave(std::string(what) + " at shared address " + std::to_string(address) + " is an access outside of dynamic shared memory");
  return const_cast<char*>(p);
}
char* async_at(uint32_t address, size_t bytes, const char* what) {
  return async_view.data() + (generic(address, bytes, what) - shared_begin);
}
uint32_t swizzled(uint32_t address, int bits) { return address ^ ((address >> 7 & ((1u << bits) - 1)) << 4); }

// ---- barriers

constexpr uint64_t kCookie = 0x6d62617272696572;
struct Barrier {
  uint32_t count = 0, pending = 0;
  int64_t bytes = 0;
  uint32_t phase = 0;
  bool seen = false;  // by the copy engine
};
std::map<uint32_t, Barrier> barriers;

Barrier& barrier_at(uint32_t address) {
  auto found = barriers.find(address);
  if (found == barriers.end()) leave("shared address " + std::to_string(address) + " is not a barrier that was begun");
  uint64_t bits;
  std::memcpy(&bits, generic(address, 8, "a barrier"), 8);
  if (bits != kCookie) leave("a barrier was overwritten");
  return found->second;
}
void settle_phase(Barrier& b) {
  if (b.pending != 0 || b.bytes != 0) return;
  b.pending = b.count;
  b.phase++;
}
void arrive(Barrier& b) {
  if (b.pending == 0) leave("more threads arrive at a barrier than it expects");
  b.pending--;
  settle_phase(b);
}

// ---- tensor maps and the copies that they describe

struct Map {
  uint64_t magic;
  uint64_t address;
  uint64_t sizes[4], strides[3];
  uint32_t box[4];
  uint8_t element_bytes, rank, swizzle_bits;
};
static_assert(sizeof(Map) <= 128);
constexpr uint64_t kMapMagic = 0x70616d726f736e74;

struct Transfer {
  Map map;
  uint32_t to, barrier;
  int64_t at[4];
};
std::vector<Transfer> transfers;

void deliver(const Transfer& t) {
  const Map& m = t.map;
  const size_t row_bytes = static_cast<size_t>(m.box[0]) * m.element_bytes;
  uint32_t to = t.to;
  for (uint32_t w = 0; w < m.box[3]; w++) {
    for (uint32_t z = 0; z < m.box[2]; z++) {
      for (uint32_t y = 0; y < m.box[1]; y++, to += static_cast<uint32_t>(row_bytes)) {
        char row[2048] = {};
        const int64_t at[4] = {t.at[0], t.at[1] + y, t.at[2] + z, t.at[3] + w};
        bool inside = true;
        const char* from = reinterpret_cast<const char*>(m.address);
        for (int d = 1; d < 4; d++) {
          inside = inside && at[d] >= 0 && at[d] < static_cast<int64_t>(m.sizes[d]);
          from += at[d] * static_cast<int64_t>(m.strides[d - 1]);
        }
        const int64_t first = std::max<int64_t>(at[0], 0), last = std::min<int64_t>(at[0] + m.box[0], static_cast<int64_t>(m.sizes[0]));
        if (inside && first < last) std::memcpy(row + (first - at[0]) * m.element_bytes, from + first * m.element_bytes, static_cast<size_t>(last - first) * m.element_bytes);
        for (uint32_t part = 0; part < row_bytes; part += 16) {
          const uint32_t place = swizzled(to + part, m.swizzle_bits);
          std::memcpy(generic(place, 16, "a copy"), row + part, 16);
          std::memcpy(async_at(place, 16, "a copy"), row + part, 16);
        }
      }
    }
  }
  Barrier& b = barrier_at(t.barrier);
  b.bytes -= static_cast<int64_t>(row_bytes) * m.box[1] * m.box[2] * m.box[3];
  settle_phase(b);
}

// ---- products of warpgroups

struct Instruction {
  int n = 0, depth = 0, bytes = 0;
  bool whole = false, bfloat = false, a_unsigned = false, b_unsigned = false;
  int a_sign = 1, b_sign = 1, a_transposed = 0, b_transposed = 0;
};
Instruction instruction_of(const char* text, const char* immediates) {
  Instruction in;
  char sum[8] = {}, a[8] = {}, b[8] = {};
  if (std::sscanf(text, "wgmma.mma_async.sync.aligned.m64n%dk%d.%7[^.].%7[^.].%7s", &in.n, &in.depth, sum, a, b) != 5) leave(std::string("no such product: ") + text);
  const std::string of_a = a, of_b = b, of_sum = sum;
  if (of_sum == "s32" && (of_a == "s8" || of_a == "u8") && (of_b == "s8" || of_b == "u8") && in.depth == 32 && in.n % 16 == 0 && *immediates == 0) {
    in.whole = true;
    in.bytes = 1;
    in.a_unsigned = of_a == "u8", in.b_unsigned = of_b == "u8";
  } else if (of_sum == "f32" && of_a == of_b && (of_a == "f16" || of_a == "bf16") && in.depth == 16 && in.n % 8 == 0 &&
             std::sscanf(immediates, ", %d, %d, %d, %d", &in.a_sign, &in.b_sign, &in.a_transposed, &in.b_transposed) == 4) {
    in.bfloat = of_a == "bf16";
    in.bytes = 2;
  } else {
    leave(std::string("not emulated: ") + text + " with" + immediates);
  }
  if (in.n < 8 || in.n > 256) leave(std::string("no such product: ") + text);
  return in;
}

struct Product {
  std::string text;
  Instruction in;
  uint64_t a = 0, b = 0;
  bool adds = false, read = false;
  int issued = 0, delivered = 0;
  std::vector<float> sums;   // 64 x n
  std::vector<int32_t> wholes;
};
// A thread's part of a product.
struct Part {
  std::shared_ptr<Product> product;
  uint32_t* d;
  int registers;
};
struct Warpgroup {
  struct Thread {
    size_t issued = 0;
    bool fenced = false;
    std::vector<Part> parts;          // not in registers yet
    size_t first = 0;                 // the number of parts[0]
    std::vector<size_t> groups;       // how many were issued at each commit
    std::map<uint32_t*, std::vector<uint32_t>> before;  // registers when products into them began
  };
  Thread threads[128];
  std::vector<std::shared_ptr<Product>> products;
};
std::map<int, std::unique_ptr<Warpgroup>> warpgroups;
// Registers that no thread of the block has, and those that each thread has after setmaxnreg.
int64_t spare_registers = 0;
std::map<int, int> registers_of;

// Where element (line, k) of an operand is: the ISA's canonical layouts of 9.7.15.5.1.2.
uint32_t element_address(uint64_t descriptor, bool transposed, int bytes, int line, int k) {
  const uint32_t start = static_cast<uint32_t>(descriptor & 0x3fff) << 4, leading = static_cast<uint32_t>(descriptor >> 16 & 0x3fff) << 4,
                 stride = static_cast<uint32_t>(descriptor >> 32 & 0x3fff) << 4;
  const int mode = static_cast<int>(descriptor >> 62);
  const uint32_t span = mode == 0 ? 16 : mode == 1 ? 128 : mode == 2 ? 64 : 32;
  uint32_t at = start;
  if (!transposed) {
    const uint32_t in_line = static_cast<uint32_t>(k * bytes);
    at += static_cast<uint32_t>(line % 8) * span + static_cast<uint32_t>(line / 8) * stride;
    at += mode == 0 ? in_line / 16 * leading + in_line % 16 : in_line;
  } else {
    const uint32_t across = static_cast<uint32_t>(line * bytes);
    at += across % span + static_cast<uint32_t>(k % 8) * span;
    at += mode == 0 ? across / span * stride + static_cast<uint32_t>(k / 8) * leading : across / span * leading + static_cast<uint32_t>(k / 8) * stride;
  }
  return swizzled(at, mode == 0 ? 0 : mode == 1 ? 3 : mode == 2 ? 2 : 1);
}
void check_descriptor(uint64_t descriptor) {
  if (descriptor & 0x3ff1c000c000c000u) leave("a matrix descriptor has bits that stand for nothing");
  if (descriptor >> 49 & 7) leave("a matrix descriptor with a base offset is not emulated");
}

// 16-bit elements as floats.
const float* table_of(bool bfloat) {
  static std::vector<float> tables[2];
  std::vector<float>& table = tables[bfloat];
  if (table.empty()) {
    table.resize(65536);
    for (uint32_t bits = 0; bits < 65536; bits++) table[bits] = bfloat ? bfloat_to_float(static_cast<uint16_t>(bits)) : half_to_float(static_cast<uint16_t>(bits));
  }
  return table.data();
}
// The elements of an operand, depth by lines. Those in 16 bytes are neighbours in every layout.
template <class To> void read_operand(uint64_t descriptor, bool transposed, const Instruction& in, bool is_unsigned, int lines, std::vector<To>& to) {
  const int together = 16 / in.bytes;
  to.resize(static_cast<size_t>(lines * in.depth));
  for (int line = 0; line < lines; line += transposed ? together : 1) {
    for (int k = 0; k < in.depth; k += transposed ? 1 : together) {
      const char* from = async_at(element_address(descriptor, transposed, in.bytes, line, k), 16, "an operand");
      To* place = to.data() + k * lines + line;
      for (int i = 0; i < together; i++, place += transposed ? 1 : lines) {
        if constexpr (std::is_same_v<To, int32_t>) {
          *place = is_unsigned ? static_cast<int>(static_cast<uint8_t>(from[i])) : static_cast<int>(static_cast<int8_t>(from[i]));
        } else {
          uint16_t bits;
          std::memcpy(&bits, from + 2 * i, 2);
          *place = table_of(in.bfloat)[bits];
        }
      }
    }
  }
}
template <class Sum> void multiply(const std::vector<Sum>& a, const std::vector<Sum>& b, const Instruction& in, std::vector<Sum>& c) {
  const size_t n = static_cast<size_t>(in.n), depth = static_cast<size_t>(in.depth);
  c.assign(64 * n, Sum(0));
  for (size_t i = 0; i < 64; i++) {
    Sum* __restrict__ row = c.data() + i * n;
    for (size_t k = 0; k < depth; k++) {
      const Sum x = a[k * 64 + i];
      const Sum* __restrict__ y = b.data() + k * n;
      for (size_t j = 0; j < n; j++) row[j] += x * y[j];
    }
  }
}
void read_and_multiply(Product& p) {
  p.read = true;
  if (p.in.whole) {
    std::vector<int32_t> a, b;
    read_operand(p.a, false, p.in, p.in.a_unsigned, 64, a);
    read_operand(p.b, false, p.in, p.in.b_unsigned, p.in.n, b);
    multiply(a, b, p.in, p.wholes);
    return;
  }
  std::vector<float> a, b;
  read_operand(p.a, p.in.a_transposed != 0, p.in, false, 64, a);
  read_operand(p.b, p.in.b_transposed != 0, p.in, false, p.in.n, b);
  for (float& x : a) x *= static_cast<float>(p.in.a_sign * p.in.b_sign);
  multiply(a, b, p.in, p.sums);
}

// The sums of a thread of a warpgroup: m64nNkK, figures 149 and 153.
void add_to_registers(const Product& p, int thread, uint32_t* d, int registers) {
  const int warp = thread / 32, lane = thread % 32;
  for (int i = 0; i < registers; i++) {
    const int row = warp * 16 + lane / 4 + i / 2 % 2 * 8, column = i / 4 * 8 + lane % 4 * 2 + i % 2;
    const size_t at = static_cast<size_t>(row * p.in.n + column);
    if (p.in.whole) d[i] = (p.adds ? d[i] : 0) + static_cast<uint32_t>(p.wholes[at]);
    else d[i] = float_to_bits((p.adds ? bits_to_float(d[i]) : 0.0f) + p.sums[at]);
  }
}

Warpgroup& own_group() {
  const int group = thread_id() / 128;
  if (static_cast<size_t>(group + 1) * 128 > thread_total()) leave("a warpgroup needs four warps");
  auto& held = warpgroups[group];
  if (!held) held = std::make_unique<Warpgroup>();
  return *held;
}
Warpgroup::Thread& own_part(Warpgroup& group) { return group.threads[thread_id() % 128]; }

}  // namespace

uint32_t shared_place(const void* p) {
  if (!active) {
    active = true;
    async_view.assign(shared_begin, shared_begin + shared_bytes);
    late_copies = blocks_run++ % 2 == 0;
  }
  const auto* at = static_cast<const char*>(p);
  if (at < shared_begin || at >= shared_begin + shared_bytes) leave("an access to static shared memory, which asynchronous instructions are not emulated for");
  return kWindow + static_cast<uint32_t>(at - window_begin);
}

void mbarrier_init(uint32_t barrier, uint32_t count) {
  if (barrier % 8 != 0 || count == 0 || count > 0xfffff) leave("a barrier that is not aligned, or expects too many");
  const uint64_t bits = kCookie;
  std::memcpy(generic(barrier, 8, "a barrier"), &bits, 8);
  barriers[barrier] = {count, count};
}
void fence_mbarrier_init() {
  for (auto& [address, b] : barriers) b.seen = true;
}
void fence_proxy_async() { std::memcpy(async_view.data(), shared_begin, shared_bytes); }
void mbarrier_arrive(uint32_t barrier) { arrive(barrier_at(barrier)); }
void mbarrier_arrive_expect_tx(uint32_t barrier, uint32_t bytes) {
  Barrier& b = barrier_at(barrier);
  b.bytes += bytes;
  if (b.bytes > 0xfffff) leave("a barrier counts at most 2^20 - 1 bytes");
  arrive(b);
}
void mbarrier_wait_parity(uint32_t barrier, uint32_t parity) {
  if (parity > 1) leave("a parity is 0 or 1");
  barrier_at(barrier);
  wait_for("a phase of a barrier", [=] { return (barrier_at(barrier).phase & 1) != parity; });
}

void bulk_tensor(uint32_t to, const void* map, uint32_t barrier, const int32_t* at, int dimensions) {
  Transfer t = {};
  std::memcpy(&t.map, map, sizeof t.map);
  if (reinterpret_cast<uintptr_t>(map) % 64 != 0 || t.map.magic != kMapMagic || t.map.rank != dimensions) leave("not a tensor map of so many dimensions at 64 bytes");
  if (t.map.swizzle_bits == 3 && to % 1024 != 0) leave("a tile in the 128-byte swizzle has to begin at 1024 bytes");
  if (to % 128 != 0) leave("a tile has to begin at 128 bytes");
  if (!barrier_at(barrier).seen) leave("the copy engine has not seen a barrier's beginning");
  t.to = to;
  t.barrier = barrier;
  for (int d = 0; d < dimensions; d++) t.at[d] = at[d];
  if (late_copies) transfers.push_back(t);
  else deliver(t);
}

void wgmma(const char* text, const char* immediates, void* d, int registers, uint64_t a, uint64_t b, bool adds) {
  Warpgroup& group = own_group();
  Warpgroup::Thread& own = own_part(group);
  auto* sums = static_cast<uint32_t*>(d);
  const size_t number = own.issued++;
  if (number == group.products.size()) {
    auto made = std::make_shared<Product>();
    made->text = std::string(text) + immediates;
    made->in = instruction_of(text, immediates);
    made->a = a, made->b = b, made->adds = adds;
    check_descriptor(a);
    check_descriptor(b);
    group.products.push_back(made);
  }
  auto product = group.products[number];
  if (product->text != std::string(text) + immediates || product->a != a || product->b != b || product->adds != adds) leave("the threads of a warpgroup ask for different products");
  if (registers * 2 != product->in.n) leave("a product with another number of registers");
  bool under_way = false;
  for (const Part& part : own.parts) {
    if (part.d != sums) continue;
    under_way = true;
    if (part.product->in.n != product->in.n || part.product->in.whole != product->in.whole) leave("products of different shapes into the same registers need a wait");
  }
  if (!under_way) {
    if (!own.fenced) leave("a product without wgmma.fence after its registers were used");
    own.before[sums].assign(sums, sums + registers);
  }
  own.parts.push_back({product, sums, registers});
  if (++product->issued == 128 && late_copies) read_and_multiply(*product);
}
void wgmma_fence() { own_part(own_group()).fenced = true; }
void wgmma_commit() {
  Warpgroup::Thread& own = own_part(own_group());
  own.groups.push_back(own.issued);
}
void wgmma_wait(int left) {
  Warpgroup& group = own_group();
  Warpgroup::Thread& own = own_part(group);
  if (own.groups.size() <= static_cast<size_t>(left)) return;
  const size_t until = own.groups[own.groups.size() - 1 - static_cast<size_t>(left)];
  const size_t count = until > own.first ? std::min(until - own.first, own.parts.size()) : 0;
  // Parts are in order, but those before may be in registers already.
  wait_for("wgmma.wait_group", [&own, count] {
    for (size_t i = 0; i < count; i++)
      if (own.parts[i].product->issued < 128) return false;
    return true;
  });
  for (size_t i = 0; i < count; i++)
    if (!own.parts[i].product->read) read_and_multiply(*own.parts[i].product);
  // Registers that later products go to are not to be looked at yet.
  for (size_t i = count; i < own.parts.size(); i++)
    for (size_t j = 0; j < count; j++)
      if (own.parts[j].d == own.parts[i].d) return;
  for (size_t i = 0; i < count; i++) {
    const Part& part = own.parts[i];
    auto before = own.before.find(part.d);
    if (before != own.before.end()) {
      if (std::memcmp(before->second.data(), part.d, before->second.size() * 4) != 0) leave("registers were written while a product into them was under way");
      own.before.erase(before);
    }
    add_to_registers(*part.product, thread_id() % 128, part.d, part.registers);
    if (++part.product->delivered == 128) group.products[own.first + i] = nullptr;
  }
  own.parts.erase(own.parts.begin(), own.parts.begin() + static_cast<std::ptrdiff_t>(count));
  own.first += count;
  if (count > 0) own.fenced = false;
}
void setmaxnreg(const char* action, int registers) {
  if (registers < 24 || registers > 256 || registers % 8 != 0) leave(std::string("setmaxnreg.") + action + " takes 24 to 256 in eights");
  own_group();
  auto held = registers_of.emplace(thread_id(), thread_registers()).first;
  const int more = registers - held->second;
  if (std::strcmp(action, "inc") == 0 ? more < 0 : more > 0) leave(std::string("setmaxnreg.") + action + " to fewer or more registers than a thread has");
  wait_for("setmaxnreg.inc", [more] { return spare_registers >= more; });
  spare_registers -= more;
  held->second = registers;
}

void begin_asynchronous(const char* window, char* shared, size_t bytes) {
  window_begin = window;
  shared_begin = shared;
  shared_bytes = bytes;
  if (!active) return;
  active = false;
  barriers.clear();
  warpgroups.clear();
  transfers.clear();
  registers_of.clear();
  spare_registers = 0;
}
bool asynchronous_progress() {
  if (transfers.empty()) return false;
  // In any order.
  dice = dice * 1664525u + 1013904223u;
  const size_t i = (dice >> 16) % transfers.size();
  const Transfer next = transfers[i];
  transfers.erase(transfers.begin() + static_cast<std::ptrdiff_t>(i));
  deliver(next);
  return true;
}
void end_asynchronous() {
  if (!active) return;
  if (!transfers.empty()) leave("a block ended before its copies");
  for (auto& [number, group] : warpgroups)
    for (auto& thread : group->threads)
      if (!thread.parts.empty()) leave("a block ended before its products");
}

bool encode_tensor_map(void* to, int dtype, unsigned rank, void* address, const uint64_t* sizes, const uint64_t* strides, const uint32_t* box,
                       const uint32_t* element_strides, int interleave, int swizzle, int promotion, int fill) {
  constexpr int kBytes[] = {1, 2, 4, 4, 8, 8, 2, 4, 8, 2};  // UINT8 .. BFLOAT16
  Map m = {};
  if (dtype < 0 || dtype > 9 || rank < 2 || rank > 4 || interleave != 0 || promotion < 0 || promotion > 3 || fill != 0) return false;
  m.magic = kMapMagic;
  m.element_bytes = static_cast<uint8_t>(kBytes[dtype]);
  m.rank = static_cast<uint8_t>(rank);
  m.address = reinterpret_cast<uint64_t>(address);
  if (m.address % 16 != 0 || reinterpret_cast<uint64_t>(to) % 64 != 0) return false;
  for (unsigned d = 0; d < 4; d++) m.sizes[d] = m.box[d] = 1;
  for (unsigned d = 0; d < rank; d++) {
    m.sizes[d] = sizes[d];
    m.box[d] = box[d];
    if (sizes[d] == 0 || sizes[d] > uint64_t{1} << 32 || box[d] == 0 || box[d] > 256 || element_strides[d] != 1) return false;
    if (d + 1 < rank) {
      m.strides[d] = strides[d];
      if (strides[d] % 16 != 0 || strides[d] >= uint64_t{1} << 40) return false;
    }
  }
  const uint32_t row = box[0] * m.element_bytes;
  if (row % 16 != 0 || swizzle < 0 || swizzle > 3 || (swizzle > 0 && row > (16u << swizzle))) return false;
  m.swizzle_bits = static_cast<uint8_t>(swizzle);
  std::memcpy(to, &m, sizeof m);
  return true;
}

}  // namespace emulation
