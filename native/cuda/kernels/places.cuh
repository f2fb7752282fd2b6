// Where an element of an output of batch, channels and three dimensions is.
#pragma once
#include "cuda/kernels/prelude.cuh"

namespace torchscript::cuda {

struct Place {
  int32_t batch, channel, at[3];
};

TS_DEVICE uint32_t split(uint32_t* rest, const Divider& d) {
  const uint32_t q = divide(*rest, d), r = *rest - q * d.divisor;
  *rest = q;
  return r;
}

template <class Params> TS_DEVICE Place place_of(const Params& p, uint32_t index) {
  Place o;
  if (p.channels_inner) o.channel = static_cast<int32_t>(split(&index, p.channels));
  for (int d = 2; d >= 0; d--) o.at[d] = static_cast<int32_t>(split(&index, p.out_sizes[d]));
  if (!p.channels_inner) o.channel = static_cast<int32_t>(split(&index, p.channels));
  o.batch = static_cast<int32_t>(index);
  return o;
}

TS_DEVICE int64_t offset_at(const int64_t* strides, const Place& o) {
  return o.batch * strides[0] + o.channel * strides[1] + o.at[0] * strides[2] + o.at[1] * strides[3] + o.at[2] * strides[4];
}
TS_DEVICE int64_t plane_at(const int64_t* strides, const Place& o) { return o.batch * strides[0] + o.channel * strides[1]; }

}  // namespace torchscript::cuda
