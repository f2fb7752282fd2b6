// Seeding: the default generator of the process and generators that a program makes.
#include <unistd.h>

#include <cerrno>
#include <mutex>
#include <system_error>

#include "core/builtins/adapter.h"
#include "core/random.h"

namespace torchscript::builtins {
namespace {

struct OwnedGenerator : GeneratorValue {
  Generator generator;
  OwnedGenerator() { source = &generator; }
};

Generator& generator_of(const Value& v) {
  if (!v.is(Tag::Generator)) throw OperatorError(std::string("Expected a Generator but received '") + tag_name(v.tag()) + "'");
  auto* owned = dynamic_cast<OwnedGenerator*>(v.pointer());
  return owned ? owned->generator : default_generator();
}

Value make_generator(const Value& device, std::optional<int64_t> seed) {
  if (!device.is_none() && device.to_device().type != "cpu")
    throw UnsupportedOperator("aten::Generator: device '" + device.to_device().type + "' is not supported, only 'cpu'");
  auto generator = make_ref<OwnedGenerator>();
  if (seed) generator->generator.reseed(static_cast<uint64_t>(*seed));
  return Value(Ref<GeneratorValue>(generator));
}

void reseed(Context& context, Generator& generator, int64_t seed) {
  context.side_effect("it seeds a generator");
  std::lock_guard<std::recursive_mutex> lock(generator.mutex);
  generator.reseed(static_cast<uint64_t>(seed));
}

int64_t seed_randomly(Context& context, const Value& v) {
  // Not std::random_device: linked into the addon, it asks for the newest C library.
  uint64_t bits = 0;
  if (getentropy(&bits, sizeof bits) != 0)
    throw std::system_error(errno, std::generic_category(), "Cannot read the system's random numbers");
  const auto seed = static_cast<int64_t>(bits >> 11);
  reseed(context, generator_of(v), seed);
  return seed;
}

static Builtins rows{
  {"aten::manual_seed", fn<[](Context& context, int64_t seed) { reseed(context, default_generator(), seed); }>},
  {"aten::manual_seed.generator", fn<[](Context& context, const Value& v, int64_t seed) {
     reseed(context, generator_of(v), seed);
     return v;
   }>},
  {"aten::Generator", fn<make_generator>},
  {"aten::initial_seed", fn<[](const Value& v) { return static_cast<int64_t>(generator_of(v).seed()); }>},
  {"aten::seed", fn<seed_randomly>},
};

}  // namespace
}  // namespace torchscript::builtins
