// Turns a plain C++ function into a builtin: the function's parameter types say how each Value is unpacked, its return type how
// the results are packed. fn<[](int64_t a, int64_t b) { return a + b; }> is a BuiltinFn.
#pragma once
#include <optional>
#include <tuple>
#include <type_traits>

#include "core/builtin.h"
#include "core/builtins/number.h"
#include "core/errors.h"
#include "core/plan.h"

namespace torchscript::builtins {

// Varargs: all arguments from this position on.
struct Rest {
  Value* begin;
  int count;
};

inline const Value& none_value() {
  static const Value none;
  return none;
}

template <class T> struct Unpack;
template <> struct Unpack<int64_t> {
  static int64_t from(const Value& v) { return v.is(Tag::Bool) ? v.to_bool() : v.to_int(); }
};
template <> struct Unpack<double> {
  static double from(const Value& v) { return v.to_float(); }
};
template <> struct Unpack<bool> {
  static bool from(const Value& v) { return v.to_bool(); }
};
template <> struct Unpack<std::complex<double>> {
  static std::complex<double> from(const Value& v) { return v.to_complex(); }
};
template <> struct Unpack<Number> {
  static Number from(const Value& v) { return Number::of(v); }
};
template <> struct Unpack<const std::string&> {
  static const std::string& from(const Value& v) { return v.to_string(); }
};
template <> struct Unpack<Tensor&> {
  static Tensor& from(const Value& v) { return v.to_tensor(); }
};
template <> struct Unpack<ListValue&> {
  static ListValue& from(const Value& v) { return v.to_list(); }
};
template <> struct Unpack<DictValue&> {
  static DictValue& from(const Value& v) { return v.to_dict(); }
};
template <> struct Unpack<TupleValue&> {
  static TupleValue& from(const Value& v) { return v.to_tuple(); }
};
template <> struct Unpack<DeviceValue&> {
  static DeviceValue& from(const Value& v) { return v.to_device(); }
};
template <> struct Unpack<Sizes> {
  static Sizes from(const Value& v) { return v.to_ints(); }
};
template <> struct Unpack<const Value&> {
  static const Value& from(const Value& v) { return v; }
};
template <class T> struct Unpack<std::optional<T>> {
  static std::optional<T> from(const Value& v) { return v.is_none() ? std::nullopt : std::optional<T>(Unpack<T>::from(v)); }
};

inline Value pack(Value v) { return v; }
inline Value pack(bool b) { return Value::of_bool(b); }
inline Value pack(int64_t i) { return Value::of_int(i); }
inline Value pack(double d) { return Value::of_float(d); }
inline Value pack(std::complex<double> c) { return Value::of_complex(c); }
inline Value pack(const Number& n) { return n.value(); }
inline Value pack(std::string s) { return Value::of_string(std::move(s)); }
inline Value pack(const Sizes& s) { return Value::of_ints(s); }
template <class T> Value pack(Ref<T> r) { return Value(std::move(r)); }
template <class T> Value pack(std::optional<T> o) { return o ? pack(*std::move(o)) : Value(); }

template <class F> struct Signature;
template <class C, class R, class... A> struct Signature<R (C::*)(A...) const> {
  using Result = R;
  using Arguments = std::tuple<A...>;
};
template <class R, class... A> struct Signature<R (*)(A...)> {
  using Result = R;
  using Arguments = std::tuple<A...>;
};
template <class F> struct SignatureOf : Signature<decltype(&F::operator())> {};
template <class R, class... A> struct SignatureOf<R (*)(A...)> : Signature<R (*)(A...)> {};

// Missing trailing arguments read as None.
template <class T>
decltype(auto) argument(Context& context, [[maybe_unused]] Value* args, [[maybe_unused]] int nargs, [[maybe_unused]] int at) {
  if constexpr (std::is_same_v<T, Context&>) return static_cast<Context&>(context);
  else if constexpr (std::is_same_v<T, Rest>) return Rest{args + at, nargs > at ? nargs - at : 0};
  else return Unpack<T>::from(at < nargs ? args[at] : none_value());
}

template <class F, class Arguments> struct Call_;
template <class F, class... A> struct Call_<F, std::tuple<A...>> {
  static constexpr bool takes_context = sizeof...(A) > 0 && std::is_same_v<std::tuple_element_t<0, std::tuple<A..., int>>, Context&>;
  template <size_t... I>
  static decltype(auto) run(const F& f, Context& context, [[maybe_unused]] Value* args, [[maybe_unused]] int nargs,
                            std::index_sequence<I...>) {
    constexpr int shift = takes_context ? 1 : 0;
    return f(argument<A>(context, args, nargs, static_cast<int>(I) - shift)...);
  }
};

template <class T> struct IsTuple : std::false_type {};
template <class... A> struct IsTuple<std::tuple<A...>> : std::true_type {};

template <auto F> void fn(Context& context, Value* args, int nargs, Value* results, int nresults) {
  using S = SignatureOf<std::remove_const_t<decltype(F)>>;
  using Invoke = Call_<std::remove_const_t<decltype(F)>, typename S::Arguments>;
  constexpr auto indices = std::make_index_sequence<std::tuple_size_v<typename S::Arguments>>();
  if constexpr (std::is_void_v<typename S::Result>) {
    Invoke::run(F, context, args, nargs, indices);
  } else if constexpr (IsTuple<typename S::Result>::value) {
    auto all = Invoke::run(F, context, args, nargs, indices);
    std::apply(
      [&](auto&... item) {
        int at = 0;
        ((at < nresults ? void(results[at++] = pack(std::move(item))) : void()), ...);
      },
      all);
  } else {
    Value result = pack(Invoke::run(F, context, args, nargs, indices));
    if (nresults > 0) results[0] = std::move(result);
  }
}

inline Ref<ListValue> make_list(std::vector<Value> items, const TypeInfo* element) {
  auto list = make_ref<ListValue>();
  list->items = std::move(items);
  list->element = element;
  return list;
}
inline Ref<TupleValue> make_tuple_value(std::vector<Value> items) {
  auto tuple = make_ref<TupleValue>();
  tuple->items = std::move(items);
  return tuple;
}

}  // namespace torchscript::builtins
