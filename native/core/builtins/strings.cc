// Strings are bytes: lengths, indices and case rules know nothing of UTF-8.
#include <algorithm>

#include "core/builtins/adapter.h"
#include "core/builtins/slices.h"

namespace torchscript::builtins {
namespace {

using Text = const std::string&;
using MaybeInt = std::optional<int64_t>;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_letter(char c) { return is_upper(c) || is_lower(c); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_printable(char c) { return c >= 0x20 && c < 0x7f; }
char to_upper(char c) { return is_lower(c) ? static_cast<char>(c - 32) : c; }
char to_lower(char c) { return is_upper(c) ? static_cast<char>(c + 32) : c; }

template <auto F> std::string mapped(Text text) {
  std::string out = text;
  for (char& c : out) c = F(c);
  return out;
}
// True for a non-empty string whose bytes all pass.
template <auto F> bool each(Text text) { return !text.empty() && std::all_of(text.begin(), text.end(), F); }
// True when there is a letter and no letter of the other case.
template <auto Wanted, auto Other> bool cased(Text text) {
  return std::any_of(text.begin(), text.end(), Wanted) && std::none_of(text.begin(), text.end(), Other);
}

std::string capitalize(Text text) {
  std::string out = mapped<to_lower>(text);
  if (!out.empty()) out[0] = to_upper(out[0]);
  return out;
}
std::string title(Text text) {
  std::string out = text;
  bool inside = false;
  for (char& c : out) {
    c = inside ? to_lower(c) : to_upper(c);
    inside = is_letter(c);
  }
  return out;
}
bool is_title(Text text) {
  bool inside = false, any = false;
  for (char c : text) {
    if (is_upper(c) ? inside : is_lower(c) && !inside) return false;
    inside = is_letter(c);
    any = any || inside;
  }
  return any;
}
// TorchScript knows no underscores here.
bool is_identifier(Text text) {
  if (text.empty() || is_digit(text[0])) return false;
  return std::all_of(text.begin(), text.end(), [](char c) { return is_letter(c) || is_digit(c); });
}
char swap_case(char c) { return is_upper(c) ? to_lower(c) : to_upper(c); }

char fill_of(Text fill, const char* name) {
  if (fill.size() != 1)
    throw OperatorError(std::string(name) + ": The fill character must be exactly one character long", "builtins.TypeError");
  return fill[0];
}
size_t padding_for(Text text, int64_t width) {
  if (width > (int64_t{1} << 30)) throw OperatorError("A string of width " + std::to_string(width) + " is too long");
  return width > static_cast<int64_t>(text.size()) ? static_cast<size_t>(width) - text.size() : 0;
}
std::string center(Text text, int64_t width, Text fill) {
  char c = fill_of(fill, "center");
  size_t padding = padding_for(text, width);
  // An odd blank goes to the left when the width is odd, else to the right.
  size_t left = width % 2 ? (padding + 1) / 2 : padding / 2;
  return std::string(left, c) + text + std::string(padding - left, c);
}
std::string left_justify(Text text, int64_t width, Text fill) {
  return text + std::string(padding_for(text, width), fill_of(fill, "ljust"));
}
std::string right_justify(Text text, int64_t width, Text fill) {
  return std::string(padding_for(text, width), fill_of(fill, "rjust")) + text;
}
// Zeros go before a sign too, unlike Python's.
std::string zero_fill(Text text, int64_t width) { return std::string(padding_for(text, width), '0') + text; }
std::string expand_tabs(Text text, MaybeInt size) {
  int64_t width = size.value_or(8);
  std::string out;
  int64_t column = 0;
  for (char c : text) {
    if (c == '\t') {
      int64_t blanks = width > 0 ? width - column % width : 0;
      out.append(static_cast<size_t>(std::min<int64_t>(blanks, 1 << 20)), ' ');
      column += blanks;
    } else {
      out += c;
      column++;
    }
  }
  return out;
}

std::string strip(Text text, Text chars, bool left, bool right) {
  size_t begin = left ? text.find_first_not_of(chars) : 0;
  if (begin == std::string::npos) return "";
  size_t end = right ? text.find_last_not_of(chars) : text.size() - 1;
  if (text.empty() || end == std::string::npos) return "";
  return text.substr(begin, end - begin + 1);
}

// The window that `start` and `end` select; end = -1, the default, is the end of the string.
struct Window {
  int64_t begin, end;
  int64_t span;  // as asked for, beyond the end of the string too
  bool valid;
};
Window window_of(Text text, MaybeInt start_, MaybeInt end_) {
  int64_t size = static_cast<int64_t>(text.size()), start = start_.value_or(0), end = end_.value_or(-1);
  if (start < 0) start = std::max<int64_t>(0, size + start);
  if (end < 0) end = std::max<int64_t>(0, size + end + 1);
  int64_t span = end - start;
  end = std::min(end, size);
  return {start, end, span, start <= end};
}
// What lies in the window; a start beyond the end of the string is an error, unlike in Python.
std::string inside(Text text, const Window& w) {
  if (w.begin > static_cast<int64_t>(text.size())) {
    throw OperatorError("basic_string::substr: __pos (which is " + std::to_string(w.begin) + ") > this->size() (which is " +
                        std::to_string(text.size()) + ")");
  }
  return w.end > w.begin ? text.substr(w.begin, w.end - w.begin) : "";
}
template <auto Search> int64_t search(Text text, Text part, MaybeInt start, MaybeInt end) {
  Window w = window_of(text, start, end);
  if (w.span <= 0 && !(w.span == 0 && part.empty() && w.begin == 0)) return -1;
  size_t at = Search(inside(text, w), part);
  return at == std::string::npos ? -1 : static_cast<int64_t>(at) + w.begin;
}
constexpr auto find = search<[](Text text, Text part) { return text.find(part); }>;
constexpr auto find_last = search<[](Text text, Text part) { return text.rfind(part); }>;
int64_t must_find(int64_t at) {
  if (at < 0) throw OperatorError("ValueError: substring not found", "builtins.ValueError");
  return at;
}
int64_t count(Text text, Text part, MaybeInt start, MaybeInt end) {
  Window w = window_of(text, start, end);
  if (!w.valid) return 0;
  if (part.empty()) return w.end - w.begin + 1;
  int64_t n = 0;
  // An occurrence counts when it begins inside the window.
  for (size_t at = text.find(part, w.begin); at != std::string::npos && static_cast<int64_t>(at) < w.end;
       at = text.find(part, at + part.size()))
    n++;
  return n;
}
bool starts_with(Text text, Text part, MaybeInt start, MaybeInt end) {
  return inside(text, window_of(text, start, end)).compare(0, part.size(), part) == 0;
}
bool ends_with(Text text, Text part, MaybeInt start, MaybeInt end) {
  std::string window = inside(text, window_of(text, start, end));
  return window.size() >= part.size() && window.compare(window.size() - part.size(), part.size(), part) == 0;
}

Ref<ListValue> text_list(const std::vector<std::string>& parts) {
  std::vector<Value> items;
  for (const std::string& part : parts) items.push_back(Value::of_string(part));
  return make_list(std::move(items), string_type());
}

Ref<ListValue> split(Text text, std::optional<Value> separator_, MaybeInt max_) {
  std::vector<std::string> parts;
  int64_t max = max_.value_or(-1);
  if (!separator_) {
    // Without a separator runs of blanks separate, and the limit plays no part.
    for (size_t at = 0; at < text.size();) {
      while (at < text.size() && is_space(text[at])) at++;
      size_t begin = at;
      while (at < text.size() && !is_space(text[at])) at++;
      if (at > begin) parts.push_back(text.substr(begin, at - begin));
    }
    return text_list(parts);
  }
  Text separator = separator_->to_string();
  if (separator.empty()) throw OperatorError("ValueError: empty separator", "builtins.ValueError");
  size_t begin = 0;
  for (int64_t n = 0; max < 0 || n < max; n++) {
    size_t at = text.find(separator, begin);
    if (at == std::string::npos) break;
    parts.push_back(text.substr(begin, at - begin));
    begin = at + separator.size();
  }
  parts.push_back(text.substr(begin));
  return text_list(parts);
}

Ref<ListValue> split_from_right(Text text, Text separator, MaybeInt max_) {
  std::vector<std::string> parts;
  int64_t max = max_.value_or(-1);
  if (separator.empty()) throw OperatorError("ValueError: empty separator", "builtins.ValueError");
  size_t end = text.size();
  for (int64_t n = 0; max < 0 || n < max; n++) {
    if (end < separator.size()) break;
    size_t at = text.rfind(separator, end - separator.size());
    if (at == std::string::npos) break;
    parts.push_back(text.substr(at + separator.size(), end - at - separator.size()));
    end = at;
  }
  parts.push_back(text.substr(0, end));
  std::reverse(parts.begin(), parts.end());
  return text_list(parts);
}

// A byte of any of Unicode's line separators ends a line, "\r\n" ends two; kept ends are items of their own.
Ref<ListValue> split_lines(Text text, std::optional<bool> keep_ends) {
  static const std::string ends = "\n\r\v\f\x1c\x1d\x1e\x85\xe2\x80\xa8\xa9";
  std::vector<std::string> parts;
  size_t begin = 0;
  for (size_t at = text.find_first_of(ends); at != std::string::npos; at = text.find_first_of(ends, begin)) {
    parts.push_back(text.substr(begin, at - begin));
    if (keep_ends.value_or(false)) parts.push_back(text.substr(at, 1));
    begin = at + 1;
  }
  if (begin < text.size()) parts.push_back(text.substr(begin));
  return text_list(parts);
}

std::tuple<std::string, std::string, std::string> partition(Text text, Text separator) {
  size_t at = text.find(separator);
  if (at == std::string::npos) return {text, "", ""};
  return {text.substr(0, at), separator, text.substr(at + separator.size())};
}
std::tuple<std::string, std::string, std::string> partition_from_right(Text text, Text separator) {
  size_t at = text.rfind(separator);
  if (at == std::string::npos) return {"", "", text};
  return {text.substr(0, at), separator, text.substr(at + separator.size())};
}

std::string replace(Text text, Text old, Text fresh, MaybeInt max_) {
  int64_t max = max_.value_or(-1);
  std::string out;
  size_t begin = 0;
  for (int64_t n = 0; max < 0 || n < max; n++) {
    if (old.empty()) {
      out += fresh;
      if (begin >= text.size()) return out;
      out += text[begin++];
      continue;
    }
    size_t at = text.find(old, begin);
    if (at == std::string::npos) break;
    out.append(text, begin, at - begin);
    out += fresh;
    begin = at + old.size();
  }
  return out.append(text, begin);
}

std::string join(Text separator, ListValue& parts) {
  std::string out;
  for (size_t i = 0; i < parts.items.size(); i++) {
    if (i > 0) out += separator;
    out += parts.items[i].to_string();
  }
  return out;
}

std::string character_at(Text text, int64_t index) {
  int64_t n = static_cast<int64_t>(text.size());
  if (index < 0) index += n;
  if (index < 0 || index >= n) throw OperatorError("string index out of range", "IndexError");
  return std::string(1, text[index]);
}
std::string slice(Text text, MaybeInt start, MaybeInt end, MaybeInt step) {
  std::string out;
  for (int64_t at : slice_positions(static_cast<int64_t>(text.size()), start, end, step.value_or(1), "List")) out += text[at];
  return out;
}

const std::string kBlanks = " \n\t\f\v";
const std::string kSpace = " ";
Text or_blanks(const Value& chars) { return chars.is_none() ? kBlanks : chars.to_string(); }
Text or_space(const Value& fill) { return fill.is_none() ? kSpace : fill.to_string(); }

static Builtins rows{
  {"aten::len.str", fn<[](Text text) { return static_cast<int64_t>(text.size()); }>},
  {"aten::add.str", fn<[](Text a, Text b) { return a + b; }>},
  {"aten::__getitem__.str", fn<character_at>},
  {"prim::StringIndex", fn<character_at>},
  {"aten::slice.str", fn<slice>},
  {"aten::upper", fn<mapped<to_upper>>},
  {"aten::lower", fn<mapped<to_lower>>},
  {"aten::swapcase", fn<mapped<swap_case>>},
  {"aten::capitalize", fn<capitalize>},
  {"aten::title", fn<title>},
  {"aten::isalnum", fn<each<[](char c) { return is_letter(c) || is_digit(c); }>>},
  {"aten::isalpha", fn<each<is_letter>>},
  {"aten::isdecimal", fn<each<is_digit>>},
  {"aten::isdigit", fn<each<is_digit>>},
  {"aten::isnumeric", fn<each<is_digit>>},
  {"aten::isspace", fn<each<is_space>>},
  {"aten::isprintable", fn<[](Text text) { return std::all_of(text.begin(), text.end(), is_printable); }>},
  {"aten::isupper", fn<cased<is_upper, is_lower>>},
  {"aten::islower", fn<cased<is_lower, is_upper>>},
  {"aten::istitle", fn<is_title>},
  {"aten::isidentifier", fn<is_identifier>},
  {"aten::center", fn<[](Text text, int64_t width, const Value& fill) { return center(text, width, or_space(fill)); }>},
  {"aten::ljust", fn<[](Text text, int64_t width, const Value& fill) { return left_justify(text, width, or_space(fill)); }>},
  {"aten::rjust", fn<[](Text text, int64_t width, const Value& fill) { return right_justify(text, width, or_space(fill)); }>},
  {"aten::zfill", fn<zero_fill>},
  {"aten::expandtabs", fn<expand_tabs>},
  {"aten::strip", fn<[](Text text, const Value& chars) { return strip(text, or_blanks(chars), true, true); }>},
  {"aten::lstrip", fn<[](Text text, const Value& chars) { return strip(text, or_blanks(chars), true, false); }>},
  {"aten::rstrip", fn<[](Text text, const Value& chars) { return strip(text, or_blanks(chars), false, true); }>},
  {"aten::find", fn<find>},
  {"aten::rfind", fn<find_last>},
  {"aten::index.str", fn<[](Text text, Text part, MaybeInt start, MaybeInt end) { return must_find(find(text, part, start, end)); }>},
  {"aten::rindex", fn<[](Text text, Text part, MaybeInt start, MaybeInt end) { return must_find(find_last(text, part, start, end)); }>},
  {"aten::count", fn<count>},
  {"aten::startswith", fn<starts_with>},
  {"aten::endswith", fn<ends_with>},
  {"aten::split.str", fn<[](Text text, const Value& separator, MaybeInt max) {
     return split(text, separator.is_none() ? std::nullopt : std::optional<Value>(separator), max);
   }>},
  {"aten::rsplit", fn<[](Text text, const Value& separator, MaybeInt max) { return split_from_right(text, or_space(separator), max); }>},
  {"aten::splitlines", fn<split_lines>},
  {"aten::partition", fn<partition>},
  {"aten::rpartition", fn<partition_from_right>},
  {"aten::replace", fn<replace>},
  {"aten::join", fn<join>},
};

}  // namespace
}  // namespace torchscript::builtins
