// Bessel functions of order 0 and 1 in float64: rational functions of Cephes (Moshier, 1989), in x^2 up to 5 and in 25 / x^2 beyond. PyTorch
// evaluates their denominators without the leading coefficient 1 that Cephes leaves unwritten, which costs it up to 1e-6 near x = 5; these give
// PyTorch's values.
#pragma once

namespace torchscript {
namespace TS_ISA {
namespace special {

constexpr double kP0[] = {
  0.0007969367292973471, 0.08283523921074408, 1.239533716464143, 5.447250030587687, 8.74716500199817, 5.303240382353949, 1.0};
constexpr double kQ0[] = {
  0.0009244088105588637, 0.08562884743544745, 1.2535274390105895, 5.470977403304171, 8.761908832370695, 5.306052882353947, 1.0};
constexpr double kNumerator0[] = {-0.011366383889846916, -1.2825271867050931, -19.553954425773597, -93.20601521237683,
                                  -177.68116798048806,   -147.07750515495118, -51.41053267665993,  -6.050143506007285};
constexpr double kDenominator0[] = {64.3178256118178,  856.4300259769806,  3882.4018360540163, 7240.467741956525,
                                    5930.727011873169, 2062.0933166032783, 242.0057402402914};
constexpr double kP1[] = {
  0.0007621256162081731, 0.07313970569409176, 1.1271960812968493, 5.112079511468076, 8.424045901417724, 5.214515986823615, 1.0};
constexpr double kQ1[] = {
  0.0005713231280725487, 0.06884559087544954, 1.105142326340617, 5.073863861286015, 8.399855543276042, 5.209828486823619, 1.0};
constexpr double kNumerator1[] = {0.05108625947501766, 4.982138729512334, 75.82382841325453,  366.7796093601508,
                                  710.8563049989261,   597.4896124006136, 211.68875710057213, 25.207020585802372};
constexpr double kDenominator1[] = {74.23732770356752, 1056.4488603826283, 4986.410583376536, 9562.318924047562,
                                    7997.041604473507, 2826.1927851763908, 336.0936078106983};
constexpr double kNearJ0[] = {-4794432209.782018, 1956174919465.5657, -249248344360967.72, 9708622510473064.0};
constexpr double kNearBelowJ0[] = {499.563147152651,  173785.4016763747,  48440965.83399621,      11185553704.535683,
                                   2112775201154.892, 310518229857422.56, 3.1812195594320496e+16, 1.7108629408104315e+18};
constexpr double kNearJ1[] = {-899971225.7055594, 452228297998.19403, -72749424522181.83, 3682957328638529.0};
constexpr double kNearBelowJ1[] = {620.8364781180543, 256987.25675774884, 83514679.14319493,     22151159547.97925,
                                   4749141220799.914, 784369607876235.9,  8.952223361846274e+16, 5.322786203326801e+18};
constexpr double kNearY0[] = {15592.436785523574, -14663929.59039716,  5435264770.518765,      -982136065717.9115,
                              87590639439536.7,   -3466283033847297.0, 4.4273326857256984e+16, -1.8495080043698668e+16};
constexpr double kNearBelowY0[] = {1041.2835366425984, 626107.330137135,   268919633.39381415,    86400248710.3935,
                                   20297961275010.555, 3171577528429750.5, 2.5059625617265306e+17};
constexpr double kNearY1[] = {1263204747.9017804,  -647355876379.1603,    114509511541823.73,
                              -8127702555013251.0, 2.024394757135949e+17, -7.788771962659501e+17};
constexpr double kNearBelowY1[] = {594.3015923461282,  235564.09294306856, 73481194.44597217,     18760131610.870617,
                                   3882312774962.3857, 620557727146953.8,  6.871410873553005e+16, 3.9727060811656064e+18};

template <int N> inline double horner(const double (&c)[N], double x) {
  double sum = 0;
  for (int i = 0; i < N; i++) sum = sum * x + c[i];
  return sum;
}
template <int N, int M> inline double rational(const double (&above)[N], const double (&below)[M], double x) {
  return horner(above, x) / horner(below, x);
}

// sqrt(2 / (pi x)) (p f(a) +- 5 / x q g(a)) with a = x - pi / 4, or 3 pi / 4 for order 1: cosine first for J, sine for Y.
inline double bessel_far(int order, bool second, double x) {
  const double z = 25 / (x * x), a = x - (order == 0 ? 0.785398163397448309616 : 2.35619449019234492885);
  const double p = order == 0 ? rational(kP0, kQ0, z) : rational(kP1, kQ1, z);
  const double q = 5 / x * (order == 0 ? rational(kNumerator0, kDenominator0, z) : rational(kNumerator1, kDenominator1, z));
  const double c = __builtin_cos(a), s = __builtin_sin(a);
  return (second ? p * s + q * c : p * c - q * s) * 0.797884560802865355880 / __builtin_sqrt(x);
}
inline double bessel_j0(double x) {
  x = __builtin_fabs(x);
  if (x > 5) return bessel_far(0, false, x);
  const double z = x * x;
  if (x < 1e-5) return 1 - z / 4;
  return (z - 5.78318596294678452118) * (z - 30.4712623436620863991) * rational(kNearJ0, kNearBelowJ0, z);
}
inline double bessel_j1(double x) {
  if (x < 0) return -bessel_j1(-x);
  if (x > 5) return bessel_far(1, false, x);
  const double z = x * x;
  return rational(kNearJ1, kNearBelowJ1, z) * x * (z - 14.6819706421238932572) * (z - 49.2184563216946036703);
}
inline double bessel_y0(double x) {
  if (x < 0) return nan();
  if (x == 0) return -inf();
  if (x > 5) return bessel_far(0, true, x);
  return rational(kNearY0, kNearBelowY0, x * x) + 0.636619772367581343076 * __builtin_log(x) * bessel_j0(x);
}
inline double bessel_y1(double x) {
  if (x < 0) return nan();
  if (x == 0) return -inf();
  if (x > 5) return bessel_far(1, true, x);
  return x * rational(kNearY1, kNearBelowY1, x * x) + 0.636619772367581343076 * (bessel_j1(x) * __builtin_log(x) - 1 / x);
}

}  // namespace special
}  // namespace TS_ISA
}  // namespace torchscript
