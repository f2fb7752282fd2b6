// GCC 12 sees strings that overlap where two are joined (its bug 105651).
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wrestrict"
#endif
#include "cuda/emit/kernel.h"

#include <cstdio>
#include <functional>

#include "cuda/emit/elements.h"
#include "cuda/emit/expressions.h"

namespace torchscript::cuda::emit {
namespace {

std::string text(const Value& v) { return Recorder::text_of(v); }
std::string number(int64_t n) { return std::to_string(n); }

// FNV-1a, twice with different beginnings.
std::string name_of(const std::string& body) {
  uint64_t h = 0xcbf29ce484222325u;
  for (char c : body) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  char name[40];
  snprintf(name, sizeof name, "fused_%016llx", static_cast<unsigned long long>(h));
  return name;
}

constexpr const char* kEntry = "$ENTRY";

// The accumulators of a reduction.
class Accumulator {
 public:
  Accumulator(Recorder& r, const FusedReduction& row, Element element) : r_(r), row_(row) {
    counts_ = row.fold == Fold::NonZero;
    compute_ = counts_ ? Compute::I32 : element == Element::F32 ? Compute::F32 : element == Element::F64 ? Compute::F64 : Compute::I64;
    type_ = counts_ ? Type::B32 : compute_ == Compute::F32 ? Type::F32 : compute_ == Compute::F64 ? Type::F64 : Type::B64;
  }
  Type type() const { return type_; }
  std::string move() const {
    return type_ == Type::F32 ? "mov.f32 " : type_ == Type::F64 ? "mov.f64 " : type_ == Type::B64 ? "mov.b64 " : "mov.b32 ";
  }
  DType dtype() const { return counts_ ? DType::I32 : dtype_of(compute_); }
  // What an element of a value adds.
  Value term(const Value& element, DType dtype) {
    if (counts_) return truth_as(r_, as_dtype(r_, element, Compute::F32, DType::Bool), Compute::I32);
    return as_compute(r_, element, dtype, compute_);
  }
  Value identity() const {
    const bool most = row_.fold == Fold::Max, least = row_.fold == Fold::Min;
    const double limit = most ? -__builtin_inf() : least ? __builtin_inf() : 0;
    switch (type_) {
      case Type::F32: return known_f32(static_cast<float>(limit));
      case Type::F64: return known_f64(limit);
      case Type::B64: return known_b64(most ? INT64_MIN : least ? INT64_MAX : 0);
      default: return known_b32(0);
    }
  }
  Value join(const Value& a, const Value& b) {
    const char* suffix = type_ == Type::F32 ? "f32" : type_ == Type::F64 ? "f64" : type_ == Type::B64 ? "s64" : "s32";
    const bool floats = type_ == Type::F32 || type_ == Type::F64;
    if (row_.fold != Fold::Max && row_.fold != Fold::Min)
      return r_.op(type_, (std::string(floats ? "add.rn." : "add.") + suffix).c_str(), {a, b});
    const std::string which = row_.fold == Fold::Max ? "max." : "min.";
    if (!floats) return r_.op(type_, (which + suffix).c_str(), {a, b});
    // NaN where one of them is.
    const std::string compare = row_.fold == Fold::Max ? "setp.gt." : "setp.lt.";
    const Value better = r_.op(Type::Pred, (compare + suffix).c_str(), {a, b}),
                nan = r_.op(Type::Pred, (std::string("setp.nan.") + suffix).c_str(), {a, a});
    return r_.op(type_, (std::string("selp.") + suffix).c_str(), {a, b, r_.op(Type::Pred, "or.pred", {better, nan})});
  }
  // The accumulator of the lane that is `distance` away.
  Value shuffled(const Value& a, int distance) {
    const auto shuffle = [&](const Value& v) {
      const Value to = r_.fresh(v.type, false);
      r_.line("\tshfl.sync.bfly.b32 " + text(to) + ", " + text(v) + ", " + number(distance) + ", 31, -1;");
      return to;
    };
    if (type_ == Type::F32 || type_ == Type::B32) return shuffle(a);
    const Value low = r_.fresh(Type::B32, false), high = r_.fresh(Type::B32, false), whole = r_.fresh(type_, false);
    r_.line("\tmov.b64 {" + text(low) + ", " + text(high) + "}, " + text(a) + ";");
    const Value low_there = shuffle(low), high_there = shuffle(high);
    r_.line("\tmov.b64 " + text(whole) + ", {" + text(low_there) + ", " + text(high_there) + "};");
    return whole;
  }
  // The result, of accumulators that saw `count` elements.
  Value finished(const Value& a, const Value& count, DType out) {
    switch (row_.finish) {
      case FusedReduction::Finish::Mean: {
        if (type_ == Type::F32)
          return as_dtype(r_, r_.op(type_, "div.rn.f32", {a, r_.op(Type::F32, "cvt.rn.f32.u32", {count})}), Compute::F32, out);
        return as_dtype(
          r_, r_.op(type_, "div.rn.f64", {as_compute(r_, a, DType::F64, Compute::F64), r_.op(Type::F64, "cvt.rn.f64.u32", {count})}),
          Compute::F64, out);
      }
      case FusedReduction::Finish::Any: return as_dtype(r_, r_.op(Type::Pred, "setp.ne.s32", {a, known_b32(0)}), Compute::B, out);
      case FusedReduction::Finish::All: return as_dtype(r_, r_.op(Type::Pred, "setp.eq.s32", {a, count}), Compute::B, out);
      default: return as_dtype(r_, a, compute_, out);
    }
  }

 private:
  Recorder& r_;
  const FusedReduction& row_;
  bool counts_;
  Compute compute_;
  Type type_;
};

// The parts that all kernels have.
class Writer {
 public:
  Writer(const Layout& layout, size_t windows, bool brain_floats) : r(brain_floats), recording_(r), layout_(layout) {
    r.line("\tmov.u32 " + text(thread = r.fresh(Type::B32, true)) + ", %tid.x;");
    r.line("\tmov.u32 " + text(block = r.fresh(Type::B32, true)) + ", %ctaid.x;");
    r.line("\tmov.u32 " + text(blocks = r.fresh(Type::B32, true)) + ", %nctaid.x;");
    for (size_t w = 0; w < windows; w++) {
      const Value address = parameter(Type::B64, layout.windows + static_cast<int>(w) * 8);
      bases.push_back(r.op(Type::B64, "cvta.to.global.u64", {address}));
    }
    index = r.op(Type::B32, "mad.lo.s32", {block, known_b32(kThreads), thread});
  }
  Value parameter(Type type, int offset) {
    constexpr const char* kLoads[kTypes] = {"", "b16", "b32", "f32", "b64", "f64"};
    const Value v = r.fresh(type, true);
    r.line("\tld.param." + std::string(kLoads[static_cast<int>(type)]) + " " + text(v) + ", [args+" + number(offset) + "];", true);
    return v;
  }
  Value head(size_t offset) { return parameter(Type::B32, static_cast<int>(offset)); }
  Value address(const Value& base, const Value& position, int64_t size) {
    return r.op(Type::B64, "add.s64", {base, r.op(Type::B64, "mul.wide.u32", {position, known_b32(static_cast<int32_t>(size))})});
  }
  void branch(const Value& predicate, const std::string& label) { code += "\t@" + text(predicate) + " bra " + label + ";\n"; }
  void put(const std::string& line) { code += "\t" + line + ";\n"; }
  void mark(const std::string& label) { code += label + ":\n"; }
  // A register that changes, apart from what the recorder knows.
  Value variable(Type type) { return r.fresh(type, false); }
  Value predicate(const std::string& compare, const Value& a, const Value& b) {
    const Value p = r.fresh(Type::Pred, false);
    put("setp." + compare + " " + text(p) + ", " + text(a) + ", " + text(b));
    return p;
  }
  KernelText finish(const std::string& shared = std::string()) {
    KernelText result;
    result.refusal = r.refusal();
    if (!result.refusal.empty()) return result;
    const std::string text_of_uniform = r.uniform_text();
    const auto uses = [&](const char* what) { return (code + text_of_uniform).find(what) != std::string::npos; };
    std::string body = ".version 8.0\n.target ";
    body += uses("bf16") ? "sm_80" : "sm_75";
    body += "\n.address_size 64\n\n.visible .entry ";
    body += kEntry;
    body += "(.param .align 8 .b8 args[" + number(layout_.bytes) + "])\n.maxntid " + number(kThreads) + ", 1, 1\n{\n";
    body += r.declarations() + shared + text_of_uniform + code + "\tret;\n}\n";
    result.name = name_of(body);
    result.text = body;
    result.text.replace(result.text.find(kEntry), std::string(kEntry).size(), result.name);
    return result;
  }

  Recorder r;
  Value thread, block, blocks, index;
  std::vector<Value> bases;
  std::string code;

 private:
  Recording recording_;
  Layout layout_;
};

// Rows that threads fold together: `elements(start, position)` gives the text of the loop's body, which ends in a value that joins the accumulator.
struct RowLoop {
  int threads = kThreads, vector = 1;
  bool pieces = false;  // units are parts of rows
};
using Body = std::function<Value(const Value& position)>;
using Store = std::function<void(const Value& row, const Value& result, const std::string& guard)>;

void write_rows(Writer& w, Accumulator& accumulator, const RowLoop& loop, const Body& body, const Store& store) {
  Recorder& r = w.r;
  const std::string rows = r.label(), elements = r.label(), join = r.label(), done = r.label();
  const bool whole_block = loop.threads == kThreads;
  const Value gone = w.head(offsetof(Head, vectors)), units = w.head(offsetof(Head, units));
  const Value unit = w.variable(Type::B32), j = w.variable(Type::B32), acc = w.variable(accumulator.type());
  const int rows_of_warp = whole_block ? 1 : 32 / loop.threads;
  int log = 0;
  while ((1 << log) < loop.threads) log++;
  Value lane, piece, pieces, step;
  if (whole_block) {
    lane = w.thread;
    w.put("mov.b32 " + text(unit) + ", " + text(w.block));
    step = w.blocks;
  } else {
    lane = r.op(Type::B32, "and.b32", {w.index, known_b32(loop.threads - 1)});
    w.put("shr.u32 " + text(unit) + ", " + text(w.index) + ", " + number(log));
    step = r.op(Type::B32, "mul.lo.s32", {w.blocks, known_b32(kThreads / loop.threads)});
  }
  if (loop.pieces) {
    piece = w.head(offsetof(Head, piece));
    pieces = w.head(offsetof(Head, pieces));
  }
  const Value first = r.op(Type::B32, "mul.lo.s32", {lane, known_b32(loop.vector)});
  w.mark(rows);
  Value leading = unit;
  if (rows_of_warp > 1) {
    // All lanes of a warp stay together.
    leading = w.variable(Type::B32);
    w.put("and.b32 " + text(leading) + ", " + text(unit) + ", " + number(-rows_of_warp));
  }
  w.branch(w.predicate("ge.u32", leading, units), done);
  w.put(accumulator.move() + text(acc) + ", " + text(accumulator.identity()));
  Value end = gone, row = unit;
  w.put("mov.b32 " + text(j) + ", " + text(first));
  if (loop.pieces) {
    row = w.variable(Type::B32);
    end = w.variable(Type::B32);
    const Value begin = w.variable(Type::B32);
    w.put("div.u32 " + text(row) + ", " + text(unit) + ", " + text(pieces));
    w.put("mul.lo.s32 " + text(begin) + ", " + text(row) + ", " + text(pieces));
    w.put("sub.s32 " + text(begin) + ", " + text(unit) + ", " + text(begin));
    w.put("mul.lo.s32 " + text(begin) + ", " + text(begin) + ", " + text(piece));
    w.put("add.s32 " + text(end) + ", " + text(begin) + ", " + text(piece));
    w.put("min.u32 " + text(end) + ", " + text(end) + ", " + text(gone));
    w.put("add.s32 " + text(j) + ", " + text(j) + ", " + text(begin));
  } else if (rows_of_warp > 1) {
    end = w.variable(Type::B32);
    const Value inside = w.predicate("lt.u32", unit, units);
    w.put("selp.b32 " + text(end) + ", " + text(gone) + ", 0, " + text(inside));
  }
  const Value base = w.variable(Type::B32), position = w.variable(Type::B32);
  w.put("mul.lo.s32 " + text(base) + ", " + text(row) + ", " + text(gone));
  w.mark(elements);
  w.branch(w.predicate("ge.u32", j, end), join);
  w.put("add.s32 " + text(position) + ", " + text(base) + ", " + text(j));
  r.begin_body();
  const Value term = body(position);
  const Value joined = accumulator.join(acc, term);
  w.code += r.end_body();
  w.put(accumulator.move() + text(acc) + ", " + text(joined));
  w.put("add.s32 " + text(j) + ", " + text(j) + ", " + number(loop.threads * loop.vector));
  w.put("bra " + elements);
  w.mark(join);
  r.begin_body();
  Value total = acc;
  for (int distance = (whole_block ? 32 : loop.threads) / 2; distance > 0; distance /= 2)
    total = accumulator.join(total, accumulator.shuffled(total, distance));
  if (whole_block) {
    const bool wide = accumulator.type() == Type::F64 || accumulator.type() == Type::B64;
    const std::string type = accumulator.type() == Type::F32 ? "f32" : accumulator.type() == Type::F64 ? "f64" : wide ? "b64" : "b32";
    const Value warp = r.op(Type::B32, "shr.u32", {w.thread, known_b32(5)}),
                other = r.op(Type::B32, "and.b32", {w.thread, known_b32(kThreads / 32 - 1)});
    const Value shared = r.fresh(Type::B32, true);
    r.line("\tmov.u32 " + text(shared) + ", parts;", true);
    const Value to = r.op(Type::B32, "mad.lo.s32", {warp, known_b32(8), shared}),
                from = r.op(Type::B32, "mad.lo.s32", {other, known_b32(8), shared});
    r.line("\tst.shared." + type + " [" + text(to) + "], " + text(total) + ";");
    r.line("\tbar.sync 0;");
    total = r.fresh(accumulator.type(), false);
    r.line("\tld.shared." + type + " " + text(total) + ", [" + text(from) + "];");
    for (int distance = kThreads / 64; distance > 0; distance /= 2) total = accumulator.join(total, accumulator.shuffled(total, distance));
  }
  const Value leads = r.op(Type::Pred, "setp.eq.s32", {lane, known_b32(0)});
  Value stores = leads;
  if (rows_of_warp > 1) {
    const Value inside = r.fresh(Type::Pred, false);
    r.line("\tsetp.lt.u32 " + text(inside) + ", " + text(unit) + ", " + text(units) + ";");
    stores = r.op(Type::Pred, "and.pred", {leads, inside});
  }
  store(unit, total, "@" + text(stores) + " ");
  if (whole_block) r.line("\tbar.sync 0;");
  w.code += r.end_body();
  w.put("add.s32 " + text(unit) + ", " + text(unit) + ", " + text(step));
  w.put("bra " + rows);
  w.mark(done);
}

std::string shared_of(int row_threads) {
  return row_threads == kThreads ? "\t.shared .align 8 .b8 parts[" + number(kThreads / 32 * 8) + "];\n" : std::string();
}

class GroupWriter {
 public:
  GroupWriter(const FusedSteps& steps, const KernelClass& shape)
      : steps_(steps),
        class_(shape),
        numbers_(numbers_of(steps, shape.computed)),
        layout_(shape.windows.size(), numbers_.size(), shape.ndim, shape.offsets),
        w_(layout_, shape.windows.size(), shape.brain_floats),
        r_(w_.r) {}

  KernelText write() {
    read_parameters();
    if (!r_.refusal().empty()) return w_.finish();
    if (class_.row_threads == 0) write_elements();
    else write_reduction();
    return w_.finish(shared_of(class_.row_threads));
  }

 private:
  size_t at(int value) const { return static_cast<size_t>(value); }

  void read_parameters() {
    for (size_t i = 0; i < numbers_.size(); i++) {
      const FusedStep& step = steps_.steps[at(numbers_[i].step)];
      const int offset = layout_.numbers + static_cast<int>(i) * 8;
      Type type;
      switch (step.compute) {
        case Compute::F32: type = Type::F32; break;
        case Compute::F64: type = Type::F64; break;
        case Compute::I64: type = Type::B64; break;
        default: type = Type::B32;
      }
      given_.push_back(w_.parameter(type, offset));
    }
    for (int d = 0; d + 1 < class_.ndim; d++) {
      Value divider[3];
      for (int i = 0; i < 3; i++) divider[i] = w_.parameter(Type::B32, layout_.dividers + (d * 3 + i) * 4);
      dividers_.insert(dividers_.end(), divider, divider + 3);
    }
    for (int g = 0; g < class_.offsets; g++)
      for (int d = 0; d < class_.ndim; d++) strides_.push_back(w_.parameter(Type::B32, layout_.strides + (g * class_.ndim + d) * 4));
    singles_.resize(class_.windows.size());
    for (size_t k = 0; k < class_.windows.size(); k++) {
      const Window& window = class_.windows[k];
      if (window.access == Window::Access::Single && !window.output) load_elements(r_, window.dtype, w_.bases[k], 1, &singles_[k], true);
    }
  }

  // Where element `position` is, in the windows that are no runs.
  void find_offsets(const Value& position) {
    offsets_.clear();
    if (class_.offsets == 0) return;
    std::vector<Value> places;
    Value rest = position;
    for (int d = 0; d + 1 < class_.ndim; d++) {
      const Value size = dividers_[at(d * 3)], magic = dividers_[at(d * 3 + 1)], shift = dividers_[at(d * 3 + 2)];
      const Value high = r_.op(Type::B32, "mul.hi.u32", {rest, magic});
      const Value quotient = r_.op(Type::B32, "shr.u32", {r_.op(Type::B32, "add.s32", {high, rest}), shift});
      places.push_back(r_.op(Type::B32, "sub.s32", {rest, r_.op(Type::B32, "mul.lo.s32", {quotient, size})}));
      rest = quotient;
    }
    places.push_back(rest);
    for (int g = 0; g < class_.offsets; g++) {
      Value offset = r_.op(Type::B64, "mul.wide.u32", {places[0], strides_[at(g * class_.ndim)]});
      for (int d = 1; d < class_.ndim; d++)
        offset = r_.op(Type::B64, "mad.wide.u32", {places[at(d)], strides_[at(g * class_.ndim + d)], offset});
      offsets_.push_back(offset);
    }
  }

  Value address_of(size_t k, const Value& position) {
    const Window& window = class_.windows[k];
    if (window.access == Window::Access::Single) return w_.bases[k];
    if (window.access == Window::Access::Linear) return w_.address(w_.bases[k], position, dtype_size(window.dtype));
    return r_.op(Type::B64, "add.s64", {w_.bases[k], offsets_[at(window.offsets)]});
  }
  // The distance of neighbours of a vector.
  Value distance_of(const Window& window) { return r_.op(Type::B64, "cvt.u64.u32", {strides_[at(window.offsets * class_.ndim)]}); }

  void load(size_t k, const Value& position, int lanes, std::vector<Value>& to) {
    const Window& window = class_.windows[k];
    to.resize(at(lanes));
    if (window.access == Window::Access::Single) {
      for (Value& v : to) v = singles_[k];
      return;
    }
    Value address = address_of(k, position);
    if (window.access == Window::Access::Linear || window.inner == Window::Inner::Next)
      return load_elements(r_, window.dtype, address, lanes, to.data());
    load_elements(r_, window.dtype, address, 1, to.data());
    for (int j = 1; j < lanes; j++) {
      if (window.inner == Window::Inner::Same) {
        to[at(j)] = to[0];
        continue;
      }
      address = r_.op(Type::B64, "add.s64", {address, distance_of(window)});
      load_elements(r_, window.dtype, address, 1, &to[at(j)]);
    }
  }
  void store(size_t k, const Value& position, int lanes, const std::vector<Value>& from) {
    const Window& window = class_.windows[k];
    Value address = address_of(k, position);
    if (window.access == Window::Access::Linear || window.inner == Window::Inner::Next || lanes == 1)
      return store_elements(r_, window.dtype, address, lanes, from.data());
    for (int j = 0; j < lanes; j++) {
      if (j > 0) address = r_.op(Type::B64, "add.s64", {address, distance_of(window)});
      store_elements(r_, window.dtype, address, 1, &from[at(j)]);
    }
  }

  // The steps on `lanes` elements from `position`; results are in elements_, those of the group are stored.
  void write_steps(const Value& position, int lanes) {
    find_offsets(position);
    elements_.assign(steps_.values.size(), {});
    for (size_t k = 0; k < class_.windows.size(); k++)
      if (!class_.windows[k].output) load(k, position, lanes, elements_[at(class_.windows[k].value)]);
    for (int j = 0; j < lanes; j++) {
      size_t next_number = 0;
      for (size_t s = 0; s < steps_.steps.size(); s++) {
        const FusedStep& step = steps_.steps[s];
        if (!class_.computed[s]) continue;
        Value operands[kMaxOperands];
        for (int k = 0; k < step.count; k++) {
          const FusedOperand& operand = step.operands[k];
          if (operand.value < 0) {
            operands[k] = given_[next_number++];
            continue;
          }
          const Value element = elements_[at(operand.value)][at(j)];
          const DType dtype = steps_.values[at(operand.value)].view.dtype;
          operands[k] = operand.condition ? as_dtype(r_, element, Compute::B, DType::Bool) : as_compute(r_, element, dtype, step.compute);
        }
        const DType out = steps_.values[at(step.value)].view.dtype;
        Value result = operands[0];
        if (!step.cast) {
          const RecordFn expression = expression_of(step.id, step.compute);
          if (!expression) return r_.refuse(pointwise_op(step.id).name);
          result = expression(operands);
          if (!r_.refusal().empty()) return;
        }
        std::vector<Value>& to = elements_[at(step.value)];
        to.resize(at(lanes));
        to[at(j)] = as_dtype(r_, result, step.computed, out);
      }
    }
    for (size_t k = 0; k < class_.windows.size(); k++)
      if (class_.windows[k].output) store(k, position, lanes, elements_[at(class_.windows[k].value)]);
  }

  void write_elements() {
    const std::string loop = r_.label(), rest = r_.label(), done = r_.label();
    const Value n = w_.head(offsetof(Head, n)), vectors = w_.head(offsetof(Head, vectors));
    const Value i = w_.variable(Type::B32), position = w_.variable(Type::B32);
    const Value step = r_.op(Type::B32, "mul.lo.s32", {w_.blocks, known_b32(kThreads)});
    w_.put("mov.b32 " + text(i) + ", " + text(w_.index));
    w_.branch(w_.predicate("ge.u32", i, vectors), rest);
    w_.mark(loop);
    w_.put("mul.lo.s32 " + text(position) + ", " + text(i) + ", " + number(class_.vector));
    r_.begin_body();
    write_steps(position, class_.vector);
    w_.code += r_.end_body();
    w_.put("add.s32 " + text(i) + ", " + text(i) + ", " + text(step));
    w_.branch(w_.predicate("lt.u32", i, vectors), loop);
    w_.mark(rest);
    if (class_.vector > 1 && class_.ndim <= 1) {
      // What is left of a vector, a thread each.
      w_.put("mad.lo.s32 " + text(position) + ", " + text(vectors) + ", " + number(class_.vector) + ", " + text(w_.index));
      w_.branch(w_.predicate("ge.u32", position, n), done);
      r_.begin_body();
      write_steps(position, 1);
      w_.code += r_.end_body();
      w_.mark(done);
    }
  }

  void write_reduction() {
    const FusedReduced& reduced = steps_.reduced;
    const FusedStep& step = steps_.steps[at(reduced.step)];
    const int source = step.operands[0].value;
    const DType out = steps_.values[at(step.value)].view.dtype, in = steps_.values[at(source)].view.dtype;
    const size_t result = class_.windows.size() - 1;  // the last window
    Accumulator accumulator(r_, *reduced.row, reduced.element);
    const Value count = w_.head(offsetof(Head, count));
    // The reduction alone writes the last window.
    class_.windows.pop_back();
    write_rows(
      w_, accumulator, {class_.row_threads, class_.vector, class_.pieces},
      [&](const Value& position) {
        write_steps(position, class_.vector);
        if (!r_.refusal().empty()) return accumulator.identity();
        std::vector<Value> terms;
        for (const Value& element : elements_[at(source)]) terms.push_back(accumulator.term(element, in));
        for (size_t width = 1; width < terms.size(); width *= 2)
          for (size_t j = 0; j + width < terms.size(); j += 2 * width) terms[j] = accumulator.join(terms[j], terms[j + width]);
        return terms[0];
      },
      [&](const Value& row, const Value& total, const std::string& guard) {
        const DType dtype = class_.pieces ? accumulator.dtype() : out;
        const Value value = class_.pieces ? total : accumulator.finished(total, count, out);
        store_elements(r_, dtype, w_.address(w_.bases[result], row, dtype_size(dtype)), 1, &value, guard);
      });
  }

  const FusedSteps& steps_;
  KernelClass class_;
  std::vector<NumberPlace> numbers_;
  Layout layout_;
  Writer w_;
  Recorder& r_;
  std::vector<Value> given_, dividers_, strides_, singles_, offsets_;
  std::vector<std::vector<Value>> elements_;  // by value and lane
};

void add(std::string& key, int64_t n) { key += std::to_string(n) + " "; }

}  // namespace

Layout::Layout(size_t window_count, size_t number_count, int ndim, int offsets) {
  windows = static_cast<int>(sizeof(Head));
  numbers = windows + static_cast<int>(window_count) * 8;
  dividers = numbers + static_cast<int>(number_count) * 8;
  strides = dividers + (ndim > 1 ? ndim - 1 : 0) * 12;
  bytes = (strides + offsets * ndim * 4 + 7) / 8 * 8;
}

std::vector<NumberPlace> numbers_of(const FusedSteps& steps, const std::vector<char>& computed) {
  std::vector<NumberPlace> places;
  for (size_t s = 0; s < steps.steps.size(); s++) {
    if (!computed[s]) continue;
    for (int k = 0; k < steps.steps[s].count; k++)
      if (steps.steps[s].operands[k].value < 0) places.push_back({static_cast<int>(s), k});
  }
  return places;
}

std::string key_of(const FusedSteps& steps, const KernelClass& shape) {
  std::string key;
  for (size_t s = 0; s < steps.steps.size(); s++) {
    const FusedStep& step = steps.steps[s];
    if (!shape.computed[s]) continue;
    key += step.cast ? "cast " : pointwise_op(step.id).name + std::string(" ");
    add(key, static_cast<int>(step.compute));
    for (int k = 0; k < step.count; k++) add(key, step.operands[k].value);
    key += ">";
    add(key, step.value);
    add(key, static_cast<int>(steps.values[static_cast<size_t>(step.value)].view.dtype));
  }
  if (steps.reduced.row) {
    key += steps.reduced.row->row + std::string(" ");
    add(key, steps.steps[static_cast<size_t>(steps.reduced.step)].operands[0].value);
    add(key, static_cast<int>(steps.values[static_cast<size_t>(steps.steps[static_cast<size_t>(steps.reduced.step)].value)].view.dtype));
  }
  key += "|";
  for (const Window& w : shape.windows) {
    add(key, w.value);
    add(key, static_cast<int>(w.dtype));
    add(key, w.output);
    add(key, static_cast<int>(w.access));
    add(key, w.offsets);
    add(key, static_cast<int>(w.inner));
  }
  key += "|";
  for (int n :
       {shape.ndim, shape.offsets, shape.vector, shape.row_threads, static_cast<int>(shape.pieces), static_cast<int>(shape.brain_floats)})
    add(key, n);
  return key;
}

KernelText kernel_text(const FusedSteps& steps, const KernelClass& shape) { return GroupWriter(steps, shape).write(); }

int accumulator_bytes(const FusedReduction& row, Element element) { return row.fold == Fold::NonZero || element == Element::F32 ? 4 : 8; }

KernelText fold_text(const FusedReduction& row, Element element, DType out, bool brain_floats) {
  const Layout layout(2, 0, 1, 0);
  Writer w(layout, 2, brain_floats);
  Accumulator accumulator(w.r, row, element);
  const Value count = w.head(offsetof(Head, count));
  write_rows(
    w, accumulator, {32, 1, false},
    [&](const Value& position) {
      Value element;
      load_elements(w.r, accumulator.dtype(), w.address(w.bases[0], position, dtype_size(accumulator.dtype())), 1, &element);
      return element;
    },
    [&](const Value& position, const Value& total, const std::string& guard) {
      const Value value = accumulator.finished(total, count, out);
      store_elements(w.r, out, w.address(w.bases[1], position, dtype_size(out)), 1, &value, guard);
    });
  return w.finish();
}

}  // namespace torchscript::cuda::emit
