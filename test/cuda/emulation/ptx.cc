#include "ptx.h"

#include <cctype>
#include <cmath>
#include <functional>
#include <limits>
#include <map>
#include <unordered_map>

#include "execute.h"

namespace emulation {
namespace {

struct Operand {
  bool is_register = false;
  int index = -1;         // of the register
  uint64_t bits = 0;      // a number; the offset of an address
};

struct State;
struct Instruction;
using Run = void (*)(State&, const Instruction&);

struct Instruction {
  Run run = nullptr;
  int guard = -1;
  bool unless = false;
  std::vector<Operand> operands;  // results first
  int results = 1;
  size_t bytes = 0;               // of an element in memory
  int target = -1;                // of a branch
  int line = 0;
};

}  // namespace

struct PtxProgram {
  std::vector<Instruction> code;
  size_t registers = 0;
  size_t shared_bytes = 0;
};

namespace {

struct State {
  uint64_t* registers;
  const char* parameters;
  size_t at = 0;
  bool done = false;

  template <class T> T get(const Operand& o) const {
    const uint64_t bits = o.is_register ? registers[o.index] : o.bits;
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
  }
  template <class T> void set(const Operand& o, T value) {
    uint64_t bits = 0;
    std::memcpy(&bits, &value, sizeof value);
    registers[o.index] = bits;
  }
};

alignas(16) char shared_memory[48 << 10];

char* address_of(State& s, const Instruction& in, const Operand& o, size_t bytes) {
  const uint64_t address = (o.is_register ? s.registers[o.index] : 0) + o.bits;
  if (address % bytes != 0) leave("an access of " + std::to_string(bytes) + " bytes at an address that is no multiple, line " + std::to_string(in.line));
  return reinterpret_cast<char*>(address);
}
char* global_address(State& s, const Instruction& in, const Operand& o) {
  return address_of(s, in, o, in.bytes * static_cast<size_t>(in.results));
}
char* shared_address(State& s, const Instruction& in, const Operand& o) {
  const uint64_t offset = ((o.is_register ? s.registers[o.index] : 0) & 0xffffffff) + o.bits;
  if (offset + in.bytes > sizeof shared_memory) leave("an access outside of shared memory, line " + std::to_string(in.line));
  return shared_memory + offset;
}
void load_from(State& s, const Instruction& in, const char* p) {
  for (int i = 0; i < in.results; i++) {
    uint64_t bits = 0;
    std::memcpy(&bits, p + static_cast<size_t>(i) * in.bytes, in.bytes);
    s.registers[in.operands[static_cast<size_t>(i)].index] = bits;
  }
}

// ---- arithmetic
#define UNARY(T, R, expression)                       \
  [](State& s, const Instruction& in) {               \
    const T a = s.get<T>(in.operands[1]);             \
    s.set<R>(in.operands[0], static_cast<R>(expression)); \
  }
#define BINARY(T, R, expression)                      \
  [](State& s, const Instruction& in) {               \
    const T a = s.get<T>(in.operands[1]);             \
    const T b = s.get<T>(in.operands[2]);             \
    s.set<R>(in.operands[0], static_cast<R>(expression)); \
  }
#define TERNARY(T, R, expression)                     \
  [](State& s, const Instruction& in) {               \
    const T a = s.get<T>(in.operands[1]);             \
    const T b = s.get<T>(in.operands[2]);             \
    const T c = s.get<T>(in.operands[3]);             \
    s.set<R>(in.operands[0], static_cast<R>(expression)); \
  }
// Conversions to integers go to the nearest one that there is.
template <class T, class F> T saturated(F x) {
  if (x != x) return 0;
  if (x <= static_cast<F>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::min();
  if (x >= -static_cast<F>(std::numeric_limits<T>::min())) return std::numeric_limits<T>::max();
  return static_cast<T>(x);
}
uint32_t field(uint32_t a, uint32_t at, uint32_t length) { return length >= 32 ? a >> at : (a >> at) & ((1u << length) - 1); }

const std::unordered_map<std::string, Run>& table() {
  static const std::unordered_map<std::string, Run> all = [] {
    std::unordered_map<std::string, Run> t;
#define FLOATS(T, x)                                                                              \
  t["add.rn." x] = BINARY(T, T, a + b);                                                           \
  t["sub.rn." x] = BINARY(T, T, a - b);                                                           \
  t["mul.rn." x] = BINARY(T, T, a * b);                                                            \
  t["div.rn." x] = BINARY(T, T, a / b);                                                           \
  t["rcp.rn." x] = UNARY(T, T, T(1) / a);                                                         \
  t["sqrt.rn." x] = UNARY(T, T, std::sqrt(a));                                                    \
  t["fma.rn." x] = TERNARY(T, T, std::fma(a, b, c));                                              \
  t["neg." x] = UNARY(T, T, -a);                                                                  \
  t["abs." x] = UNARY(T, T, std::fabs(a));                                                        \
  t["copysign." x] = BINARY(T, T, std::copysign(b, a));                                           \
  t["cvt.rmi." x "." x] = UNARY(T, T, std::floor(a));                                             \
  t["cvt.rpi." x "." x] = UNARY(T, T, std::ceil(a));                                              \
  t["cvt.rzi." x "." x] = UNARY(T, T, std::trunc(a));                                             \
  t["cvt.rni." x "." x] = UNARY(T, T, std::nearbyint(a));                                         \
  t["cvt.rzi.s32." x] = UNARY(T, int32_t, (saturated<int32_t, T>(std::trunc(a))));                \
  t["cvt.rzi.s64." x] = UNARY(T, int64_t, (saturated<int64_t, T>(std::trunc(a))));                \
  t["cvt.rni.s32." x] = UNARY(T, int32_t, (saturated<int32_t, T>(std::nearbyint(a))));            \
  t["cvt.rn." x ".s32"] = UNARY(int32_t, T, a);                                                   \
  t["cvt.rn." x ".u32"] = UNARY(uint32_t, T, a);                                                  \
  t["cvt.rn." x ".s64"] = UNARY(int64_t, T, a);                                                   \
  t["setp.neu." x] = BINARY(T, bool, a != b);                                                     \
  t["setp.nan." x] = BINARY(T, bool, a != a || b != b);
    FLOATS(float, "f32")
    FLOATS(double, "f64")
#undef FLOATS
#define COMPARES(T, x)                          \
  t["setp.eq." x] = BINARY(T, bool, a == b);    \
  t["setp.ne." x] = BINARY(T, bool, a != b);    \
  t["setp.lt." x] = BINARY(T, bool, a < b);     \
  t["setp.le." x] = BINARY(T, bool, a <= b);    \
  t["setp.gt." x] = BINARY(T, bool, a > b);     \
  t["setp.ge." x] = BINARY(T, bool, a >= b);
    COMPARES(float, "f32")
    COMPARES(double, "f64")
    COMPARES(int32_t, "s32")
    COMPARES(int64_t, "s64")
    COMPARES(uint32_t, "u32")
#undef COMPARES
#define SELECTS(T, x)                                                                              \
  t["selp." x] = [](State& s, const Instruction& in) {                                             \
    s.set<T>(in.operands[0], s.get<T>(in.operands[s.get<uint8_t>(in.operands[3]) & 1 ? 1 : 2]));   \
  };
    SELECTS(uint32_t, "f32")
    SELECTS(uint64_t, "f64")
    SELECTS(uint32_t, "s32")
    SELECTS(uint64_t, "s64")
    SELECTS(uint32_t, "b32")
    SELECTS(uint64_t, "b64")
#undef SELECTS
#define MOVES(T, x) t["mov." x] = UNARY(T, T, a);
    MOVES(uint16_t, "b16")
    MOVES(uint32_t, "b32")
    MOVES(uint32_t, "u32")
    MOVES(uint32_t, "f32")
    MOVES(uint64_t, "b64")
    MOVES(uint64_t, "f64")
#undef MOVES
    t["cvta.to.global.u64"] = UNARY(uint64_t, uint64_t, a);
    // Sums and products wrap.
#define WHOLES(T, U, x)                                                                                       \
  t["add.s" x] = BINARY(U, U, a + b);                                                                         \
  t["sub.s" x] = BINARY(U, U, a - b);                                                                         \
  t["mul.lo.s" x] = BINARY(U, U, a * b);                                                                       \
  t["mad.lo.s" x] = TERNARY(U, U, a * b + c);                                                                  \
  t["div.s" x] = BINARY(T, T, b == 0 ? T(-1) : b == T(-1) ? T(U(0) - U(a)) : a / b);                          \
  t["rem.s" x] = BINARY(T, T, b == 0 || b == T(-1) ? T(0) : a % b);                                           \
  t["min.s" x] = BINARY(T, T, a < b ? a : b);                                                                 \
  t["max.s" x] = BINARY(T, T, a > b ? a : b);                                                                 \
  t["min.u" x] = BINARY(U, U, a < b ? a : b);                                                                 \
  t["neg.s" x] = UNARY(U, U, U(0) - a);                                                                       \
  t["abs.s" x] = UNARY(T, T, a < 0 ? T(U(0) - U(a)) : a);                                                     \
  t["and.b" x] = BINARY(U, U, a & b);                                                                          \
  t["or.b" x] = BINARY(U, U, a | b);                                                                          \
  t["xor.b" x] = BINARY(U, U, a ^ b);                                                                         \
  t["not.b" x] = UNARY(U, U, ~a);                                                                             \
  t["shl.b" x] = [](State& s, const Instruction& in) {                                                        \
    const U a = s.get<U>(in.operands[1]);                                                                     \
    const uint32_t by = s.get<uint32_t>(in.operands[2]);                                                      \
    s.set<U>(in.operands[0], by >= sizeof(U) * 8 ? U(0) : static_cast<U>(a << by));                           \
  };                                                                                                          \
  t["shr.u" x] = [](State& s, const Instruction& in) {                                                        \
    const U a = s.get<U>(in.operands[1]);                                                                     \
    const uint32_t by = s.get<uint32_t>(in.operands[2]);                                                      \
    s.set<U>(in.operands[0], by >= sizeof(U) * 8 ? U(0) : static_cast<U>(a >> by));                           \
  };                                                                                                          \
  t["shr.s" x] = [](State& s, const Instruction& in) {                                                        \
    const T a = s.get<T>(in.operands[1]);                                                                     \
    const uint32_t by = s.get<uint32_t>(in.operands[2]);                                                      \
    s.set<T>(in.operands[0], static_cast<T>(a >> (by >= sizeof(T) * 8 ? sizeof(T) * 8 - 1 : by)));            \
  };
    WHOLES(int32_t, uint32_t, "32")
    WHOLES(int64_t, uint64_t, "64")
#undef WHOLES
    t["div.u32"] = BINARY(uint32_t, uint32_t, b == 0 ? ~0u : a / b);
    t["mul.hi.u32"] = BINARY(uint32_t, uint32_t, static_cast<uint64_t>(a) * b >> 32);
    t["mul.wide.u32"] = BINARY(uint32_t, uint64_t, static_cast<uint64_t>(a) * b);
    t["mad.wide.u32"] = [](State& s, const Instruction& in) {
      const uint64_t product = static_cast<uint64_t>(s.get<uint32_t>(in.operands[1])) * s.get<uint32_t>(in.operands[2]);
      s.set<uint64_t>(in.operands[0], product + s.get<uint64_t>(in.operands[3]));
    };
    t["bfe.u32"] = TERNARY(uint32_t, uint32_t, field(a, b, c));
    t["bfe.s32"] = TERNARY(uint32_t, int32_t, static_cast<int32_t>(field(a, b, c) << (32 - c)) >> (32 - c));
    t["and.pred"] = BINARY(uint8_t, uint8_t, a & b & 1);
    t["or.pred"] = BINARY(uint8_t, uint8_t, (a | b) & 1);
    t["xor.pred"] = BINARY(uint8_t, uint8_t, (a ^ b) & 1);
    t["not.pred"] = UNARY(uint8_t, uint8_t, ~a & 1);
    t["cvt.f64.f32"] = UNARY(float, double, a);
    t["cvt.rn.f32.f64"] = UNARY(double, float, a);
    t["cvt.s64.s32"] = UNARY(int32_t, int64_t, a);
    t["cvt.u64.u32"] = UNARY(uint32_t, uint64_t, a);
    t["cvt.u32.u64"] = UNARY(uint64_t, uint32_t, a);
    t["cvt.u32.u16"] = UNARY(uint16_t, uint32_t, a);
    t["cvt.u16.u32"] = UNARY(uint32_t, uint16_t, a);
    t["cvt.s32.s16"] = UNARY(int16_t, int32_t, a);
    t["cvt.rn.bf16.f32"] = UNARY(float, uint16_t, float_to_bfloat(a));
    t["cvt.rn.f16.f32"] = UNARY(float, uint16_t, float_to_half(a));
    t["cvt.f32.f16"] = UNARY(uint16_t, float, half_to_float(a));

    t["ld.param"] = [](State& s, const Instruction& in) { load_from(s, in, s.parameters + in.operands[1].bits); };
    t["ld.global"] = [](State& s, const Instruction& in) { load_from(s, in, global_address(s, in, in.operands.back())); };
    t["ld.shared"] = [](State& s, const Instruction& in) { load_from(s, in, shared_address(s, in, in.operands.back())); };
    t["st.global"] = [](State& s, const Instruction& in) {
      char* p = global_address(s, in, in.operands[0]);
      for (size_t i = 1; i < in.operands.size(); i++, p += in.bytes) {
        const uint64_t bits = s.get<uint64_t>(in.operands[i]);
        std::memcpy(p, &bits, in.bytes);
      }
    };
    t["st.shared"] = [](State& s, const Instruction& in) {
      const uint64_t bits = s.get<uint64_t>(in.operands[1]);
      std::memcpy(shared_address(s, in, in.operands[0]), &bits, in.bytes);
    };
    t["split.b64"] = [](State& s, const Instruction& in) {
      const uint64_t bits = s.get<uint64_t>(in.operands[2]);
      s.set<uint32_t>(in.operands[0], static_cast<uint32_t>(bits));
      s.set<uint32_t>(in.operands[1], static_cast<uint32_t>(bits >> 32));
    };
    t["join.b64"] = [](State& s, const Instruction& in) {
      s.set<uint64_t>(in.operands[0], s.get<uint32_t>(in.operands[1]) | static_cast<uint64_t>(s.get<uint32_t>(in.operands[2])) << 32);
    };
    t["split.b32"] = [](State& s, const Instruction& in) {
      const uint32_t bits = s.get<uint32_t>(in.operands[2]);
      s.set<uint16_t>(in.operands[0], static_cast<uint16_t>(bits));
      s.set<uint16_t>(in.operands[1], static_cast<uint16_t>(bits >> 16));
    };
    t["join.b32"] = [](State& s, const Instruction& in) {
      s.set<uint32_t>(in.operands[0], s.get<uint16_t>(in.operands[1]) | static_cast<uint32_t>(s.get<uint16_t>(in.operands[2])) << 16);
    };
    t["bra"] = [](State& s, const Instruction& in) { s.at = static_cast<size_t>(in.target); };
    t["ret"] = [](State& s, const Instruction&) { s.done = true; };
    t["bar.sync"] = [](State&, const Instruction&) { barrier(); };
    t["shfl.sync.bfly.b32"] = [](State& s, const Instruction& in) {
      const uint32_t mine = s.get<uint32_t>(in.operands[1]);
      s.set<uint32_t>(in.operands[0], exchanged(s.get<uint32_t>(in.operands[4]), mine, lane() ^ s.get<int>(in.operands[2])));
    };
    return t;
  }();
  return all;
}

void run_kernel(void (*function)(), void** parameters) {
  const auto& kernel = *reinterpret_cast<const PtxKernel*>(reinterpret_cast<void*>(function));
  const PtxProgram& program = *kernel.program;
  if (blockDim.x * blockDim.y * blockDim.z > kernel.most_threads) leave("a block of more threads than .maxntid");
  // What nobody wrote shows.
  std::vector<uint64_t> registers(program.registers + 1, 0xB7B7B7B7B7B7B7B7u);
  State s{registers.data(), static_cast<const char*>(parameters[0])};
  while (!s.done) {
    if (s.at >= program.code.size()) leave("a kernel that does not end");
    const Instruction& in = program.code[s.at++];
    if (in.guard >= 0 && ((s.registers[in.guard] & 1) != 0) == in.unless) continue;
    in.run(s, in);
  }
}

// ---- the text
class Parser {
 public:
  explicit Parser(const std::string& text) : text_(text) {}

  std::vector<std::unique_ptr<PtxKernel>> parse() {
    std::vector<std::unique_ptr<PtxKernel>> kernels;
    while (skip()) {
      const std::string word = take_word();
      if (word == ".version" || word == ".target" || word == ".address_size") until('\n');
      else if (word == ".visible") continue;
      else if (word == ".entry") kernels.push_back(entry());
      else fail("the directive " + word);
    }
    return kernels;
  }

 private:
  [[noreturn]] void fail(const std::string& what) { throw "line " + std::to_string(line_) + ": " + what; }
  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  void advance() {
    if (text_[at_++] == '\n') line_++;
  }
  bool skip() {
    while (at_ < text_.size()) {
      if (std::isspace(static_cast<unsigned char>(peek()))) advance();
      else if (text_.compare(at_, 2, "//") == 0) until('\n');
      else return true;
    }
    return false;
  }
  std::string until(char end) {
    const size_t from = at_;
    while (at_ < text_.size() && peek() != end) advance();
    const std::string part = text_.substr(from, at_ - from);
    if (at_ < text_.size()) advance();
    return part;
  }
  std::string take_word() {
    skip();
    const size_t from = at_;
    while (std::isalnum(static_cast<unsigned char>(peek())) || std::strchr("._%$", peek() ? peek() : ' ')) advance();
    return text_.substr(from, at_ - from);
  }
  void expect(char c) {
    skip();
    if (peek() != c) fail(std::string("expected ") + c);
    advance();
  }
  bool is_next(char c) {
    skip();
    if (peek() != c) return false;
    advance();
    return true;
  }

  std::unique_ptr<PtxKernel> entry() {
    auto kernel = std::make_unique<PtxKernel>();
    kernel->name = take_word();
    program_ = std::make_shared<PtxProgram>();
    kernel->program = program_;
    bases_.clear();
    labels_.clear();
    waiting_.clear();
    shared_.clear();
    expect('(');
    const std::string parameter = until(')');
    const size_t bracket = parameter.find('[');
    if (parameter.find(".param .align 8 .b8") == std::string::npos || bracket == std::string::npos) fail("the parameters " + parameter);
    kernel->parameter_bytes = std::strtoull(parameter.c_str() + bracket + 1, nullptr, 10);
    parameter_bytes_ = kernel->parameter_bytes;
    while (!is_next('{')) {
      const std::string word = take_word();
      if (word != ".maxntid") fail("the directive " + word);
      kernel->most_threads = static_cast<unsigned>(std::strtoul(take_word().c_str(), nullptr, 10));
      while (is_next(',')) take_word();
    }
    while (!is_next('}')) statement();
    for (const auto& [index, label] : waiting_) {
      const auto found = labels_.find(label);
      if (found == labels_.end()) fail("the label " + label + " is missing");
      program_->code[index].target = found->second;
    }
    return kernel;
  }

  void statement() {
    skip();
    Instruction in;
    in.line = line_;
    if (is_next('@')) {
      in.unless = is_next('!');
      in.guard = find_register(take_word());
    }
    const std::string word = take_word();
    if (word.empty()) fail(std::string("the character ") + peek());
    if (word == ".reg") return registers();
    if (word == ".shared") return shared();
    if (is_next(':')) {
      labels_[word] = static_cast<int>(program_->code.size());
      return;
    }
    instruction(word, in);
  }

  void registers() {
    take_word();
    const std::string prefix = take_word();
    expect('<');
    const size_t count = std::strtoull(take_word().c_str(), nullptr, 10);
    expect('>');
    expect(';');
    bases_[prefix] = {static_cast<int>(program_->registers), static_cast<int>(count)};
    program_->registers += count;
  }
  void shared() {
    const std::string rest = until(';');
    const size_t b8 = rest.find(".b8 "), bracket = rest.find('[');
    if (b8 == std::string::npos || bracket == std::string::npos) fail("the shared memory " + rest);
    shared_[rest.substr(b8 + 4, bracket - b8 - 4)] = program_->shared_bytes;
    program_->shared_bytes += std::strtoull(rest.c_str() + bracket + 1, nullptr, 10);
    if (program_->shared_bytes > sizeof shared_memory) fail("too much shared memory");
  }

  int find_register(const std::string& name) {
    size_t digits = name.size();
    while (digits > 0 && std::isdigit(static_cast<unsigned char>(name[digits - 1]))) digits--;
    const auto found = bases_.find(name.substr(0, digits));
    const int index = std::atoi(name.c_str() + digits);
    if (found == bases_.end() || digits == name.size() || index >= found->second.second) fail("the register " + name + " is not declared");
    return found->second.first + index;
  }

  // Sizes of the types in the names of instructions.
  size_t size_of(const std::string& mnemonic) {
    const std::string type = mnemonic.substr(mnemonic.rfind('.') + 1);
    const size_t bits = std::strtoull(type.c_str() + 1, nullptr, 10);
    if (bits % 8 != 0 || bits == 0) fail("the type of " + mnemonic);
    return bits / 8;
  }

  Operand operand() {
    skip();
    Operand o;
    if (is_next('[')) {
      const std::string base = take_word();
      if (base == "args") {
        o.bits = is_next('+') ? std::strtoull(take_word().c_str(), nullptr, 10) : 0;
        if (o.bits >= parameter_bytes_) fail("a parameter beyond the last");
      } else {
        o.is_register = true;
        o.index = find_register(base);
        if (is_next('+')) o.bits = std::strtoull(take_word().c_str(), nullptr, 10);
      }
      expect(']');
      return o;
    }
    const bool minus = is_next('-');
    const std::string word = take_word();
    if (word.empty()) fail("an operand is missing");
    if (word[0] == '%' && word.find('.') == std::string::npos) {
      o.is_register = true;
      o.index = find_register(word);
    } else if (word.compare(0, 2, "0f") == 0 || word.compare(0, 2, "0d") == 0) {
      o.bits = std::strtoull(word.c_str() + 2, nullptr, 16);
    } else if (std::isdigit(static_cast<unsigned char>(word[0]))) {
      const uint64_t n = std::strtoull(word.c_str(), nullptr, 10);
      o.bits = minus ? 0 - n : n;
    } else if (shared_.count(word)) {
      o.bits = shared_[word];
    } else {
      fail("the operand " + word);
    }
    return o;
  }
  // One operand, or several in braces.
  int operands(std::vector<Operand>& to) {
    if (!is_next('{')) {
      to.push_back(operand());
      return 1;
    }
    int count = 0;
    do {
      to.push_back(operand());
      count++;
    } while (is_next(','));
    expect('}');
    return count;
  }

  void instruction(const std::string& mnemonic, Instruction in) {
    std::string known = mnemonic;
    if (mnemonic == "bra") {
      waiting_.emplace_back(program_->code.size(), take_word());
    } else if (mnemonic == "ret") {
    } else if (mnemonic == "mov.u32" && special(in)) {
      program_->code.push_back(in);
      return expect(';');
    } else {
      for (const char* access : {"ld.param", "ld.global", "ld.shared", "st.global", "st.shared"}) {
        if (mnemonic.compare(0, 9, access, std::strlen(access)) != 0 && mnemonic.compare(0, std::strlen(access), access) != 0) continue;
        known = access;
        in.bytes = size_of(mnemonic);
        const std::string vector = mnemonic.substr(std::strlen(access), mnemonic.rfind('.') - std::strlen(access));
        if (!vector.empty() && vector != ".v2" && vector != ".v4") fail("the instruction " + mnemonic);
      }
      std::vector<int> counts;
      do counts.push_back(operands(in.operands));
      while (is_next(','));
      const bool is_store = known.compare(0, 3, "st.") == 0;
      in.results = is_store ? static_cast<int>(in.operands.size()) - 1 : counts[0];
      if ((known == "mov.b64" || known == "mov.b32") && counts.size() == 2 && counts[0] + counts[1] == 3)
        known = (counts[0] == 2 ? "split" : "join") + known.substr(3);
    }
    const auto found = table().find(known);
    if (found == table().end()) fail("the instruction " + mnemonic + " is unknown to the interpreter of tests");
    in.run = found->second;
    program_->code.push_back(in);
    expect(';');
  }

  // Reads of what a thread is.
  bool special(Instruction& in) {
    const size_t at = at_;
    const int line = line_;
    std::vector<Operand> to;
    operands(to);
    expect(',');
    const std::string from = take_word();
#define SPECIAL(name, value)                                                                        \
  if (from == name) in.run = [](State& s, const Instruction& i) { s.set<uint32_t>(i.operands[0], value); };
    SPECIAL("%tid.x", threadIdx.x)
    SPECIAL("%ctaid.x", blockIdx.x)
    SPECIAL("%nctaid.x", gridDim.x)
    SPECIAL("%ntid.x", blockDim.x)
#undef SPECIAL
    in.operands = to;
    if (in.run) return true;
    in.operands.clear();
    at_ = at;
    line_ = line;
    return false;
  }

  const std::string& text_;
  size_t at_ = 0;
  int line_ = 1;
  size_t parameter_bytes_ = 0;
  std::shared_ptr<PtxProgram> program_;
  std::map<std::string, std::pair<int, int>> bases_;
  std::map<std::string, int> labels_;
  std::map<std::string, uint64_t> shared_;
  std::vector<std::pair<size_t, std::string>> waiting_;
};

}  // namespace

std::vector<std::unique_ptr<PtxKernel>> parse_ptx(const std::string& text, std::string* error) {
  try {
    auto kernels = Parser(text).parse();
    for (auto& kernel : kernels) {
      void* self = kernel.get();
      kernel->entry = {kernel->name.c_str(), reinterpret_cast<void (*)()>(self), run_kernel, 1, &kernel->parameter_bytes, nullptr};
    }
    return kernels;
  } catch (const std::string& what) {
    *error = what;
    return {};
  }
}

}  // namespace emulation
