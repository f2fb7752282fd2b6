// Plane rotations and the 2 by 2 problems that QR iterations end in: LAPACK's lartg, lasv2, las2 and laev2.
#pragma once
#include <cmath>
#include <utility>

namespace torchscript::portable::linalg {

// c f + s g = r, c g - s f = 0.
struct Givens {
  double c, s, r;
};
// r has the sign of f, as in LAPACK from 3.10 on.
inline Givens givens(double f, double g) {
  if (g == 0) return {1, 0, f};
  if (f == 0) return {0, std::copysign(1.0, g), std::fabs(g)};
  const double r = std::copysign(std::sqrt(f * f + g * g), f);
  return {std::fabs(f) / std::fabs(r), g / r, r};
}
// r is positive unless f is the larger one and negative, as in LAPACK before 3.10 and in parts of MKL.
inline Givens givens_positive(double f, double g) {
  if (g == 0) return {1, 0, f};
  if (f == 0) return {0, 1, g};
  double r = std::sqrt(f * f + g * g);
  if (std::fabs(f) > std::fabs(g) && f < 0) r = -r;
  return {f / r, g / r, r};
}

// Rotation that diagonalises [[a, b], [b, c]]: (cs, sn) is the unit eigenvector of the eigenvalue of larger size, larger.
struct Symmetric2 {
  double larger, smaller, cs, sn;
};
inline Symmetric2 symmetric2(double a, double b, double c) {
  const double sum = a + c, gap = a - c, twice = b + b, size = std::fabs(twice);
  const double top = std::fabs(a) > std::fabs(c) ? a : c, low = std::fabs(a) > std::fabs(c) ? c : a;
  const double root = std::hypot(gap, twice);
  Symmetric2 e{};
  bool negative = false;
  if (sum == 0) {
    e.larger = 0.5 * root, e.smaller = -0.5 * root;
  } else {
    negative = sum < 0;
    e.larger = 0.5 * (negative ? sum - root : sum + root);
    e.smaller = (top / e.larger) * low - (b / e.larger) * b;
  }
  const bool falling = gap < 0;
  const double cs = falling ? gap - root : gap + root;
  if (std::fabs(cs) > size) {
    const double ct = -twice / cs;
    e.sn = 1 / std::sqrt(1 + ct * ct);
    e.cs = ct * e.sn;
  } else if (size == 0) {
    e.cs = 1, e.sn = 0;
  } else {
    const double tn = -cs / twice;
    e.cs = 1 / std::sqrt(1 + tn * tn);
    e.sn = tn * e.cs;
  }
  if (negative == falling) {
    const double tn = e.cs;
    e.cs = -e.sn;
    e.sn = tn;
  }
  return e;
}

// Smaller singular value of [[f, g], [0, h]].
inline double smaller_singular(double f, double g, double h) {
  const double fa = std::fabs(f), ga = std::fabs(g), ha = std::fabs(h), low = std::min(fa, ha), high = std::max(fa, ha);
  if (low == 0) return 0;
  const double as = 1 + low / high, at = (high - low) / high;
  if (ga < high) {
    const double au = (ga / high) * (ga / high);
    return low * (2 / (std::sqrt(as * as + au) + std::sqrt(at * at + au)));
  }
  const double au = high / ga;
  if (au == 0) return low * high / ga;
  const double c = 1 / (std::sqrt(1 + (as * au) * (as * au)) + std::sqrt(1 + (at * au) * (at * au)));
  return low * c * au * 2;
}

// [[cl, sl], [-sl, cl]] [[f, g], [0, h]] [[cr, -sr], [sr, cr]] = diag(larger, smaller).
struct Singular2 {
  double smaller, larger, sr, cr, sl, cl;
};
inline Singular2 singular2(double f, double g, double h) {
  const auto sign = [](double v) { return std::copysign(1.0, v); };
  double ft = f, fa = std::fabs(f), ht = h, ha = std::fabs(h), ga = std::fabs(g);
  int largest = 1;
  const bool swapped = ha > fa;
  if (swapped) largest = 3, std::swap(ft, ht), std::swap(fa, ha);
  Singular2 r{};
  double clt = 1, crt = 1, slt = 0, srt = 0;
  if (ga == 0) {
    r.smaller = ha, r.larger = fa;
  } else {
    bool small = true;
    if (ga > fa) {
      largest = 2;
      if (fa / ga < 0x1p-53) {
        small = false;
        r.larger = ga;
        r.smaller = ha > 1 ? fa / (ga / ha) : fa / ga * ha;
        clt = 1, slt = ht / g, srt = 1, crt = ft / g;
      }
    }
    if (small) {
      const double d = fa - ha, m = g / ft, mm = m * m;
      double l = d == fa ? 1 : d / fa, t = 2 - l;
      const double s = std::sqrt(t * t + mm), root = l == 0 ? std::fabs(m) : std::sqrt(l * l + mm), a = 0.5 * (s + root);
      r.smaller = ha / a, r.larger = fa * a;
      if (mm == 0) t = l == 0 ? 2 * sign(ft) * sign(g) : g / std::copysign(d, ft) + m / t;
      else t = (m / (s + t) + m / (root + l)) * (1 + a);
      l = std::sqrt(t * t + 4);
      crt = 2 / l, srt = t / l;
      clt = (crt + srt * m) / a;
      slt = ht / ft * srt / a;
    }
  }
  if (swapped) r.cl = srt, r.sl = crt, r.cr = slt, r.sr = clt;
  else r.cl = clt, r.sl = slt, r.cr = crt, r.sr = srt;
  const double turned = largest == 1   ? sign(r.cr) * sign(r.cl) * sign(f)
                        : largest == 2 ? sign(r.sr) * sign(r.cl) * sign(g)
                                       : sign(r.sr) * sign(r.sl) * sign(h);
  r.larger = std::copysign(r.larger, turned);
  r.smaller = std::copysign(r.smaller, turned * sign(f) * sign(h));
  return r;
}

}  // namespace torchscript::portable::linalg
