{
  # Note [ISA units]: every target builds with baseline flags (x86-64-v2) except the kernels_<isa>
  # libraries, which compile the one source set native/cpu-avx/isa/*.cc once for each instruction set.
  # Those units hold intrinsics in a namespace of their own and include no standard library code, so
  # that the linker cannot share an AVX function with baseline code. With emulate_avx512=1 the AVX-512 units have no AVX-512 flags
  # and an emulation of the intrinsics (scripts/test-avx512-emulated.sh).
  "variables": {
    "emulate_avx512%": 0,
    "isa_sources": ["<!@(node scripts/list-sources.mjs native/cpu-avx/isa)"],
    "common_cflags_cc": ["-std=c++20", "-fvisibility=hidden", "-fvisibility-inlines-hidden", "-O3", "-Wall", "-Wextra",
      "-Wno-unused-parameter", "-Wno-missing-field-initializers", "-fno-math-errno", "-ffp-contract=off", "-g0"]
  },
  "target_defaults": {
    "include_dirs": ["native", "native/include"],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["<@(common_cflags_cc)"],
    "defines": ["NAPI_VERSION=8"]
  },
  "targets": [
    {
      "target_name": "kernels_scalar",
      "type": "static_library",
      "sources": ["<@(isa_sources)"],
      "defines": ["TS_ISA=scalar", "TS_ISA_SCALAR=1"],
      "conditions": [["target_arch=='x64'", {"cflags_cc": ["-march=x86-64-v2"]}]]
    },
    {
      "target_name": "torchscript",
      "sources": [
        "native/binding.cc",
        "<!@(node scripts/list-sources.mjs native/binding)",
        "<!@(node scripts/list-sources.mjs native/core --recursive)",
        "<!@(node scripts/list-sources.mjs native/cpu-avx)",
        "<!@(node scripts/list-sources.mjs native/cpu-avx/portable --recursive)",
        "<!@(node scripts/list-sources.mjs native/cuda)",
        "<!@(node scripts/list-sources.mjs native/cuda/emit)"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "dependencies": ["kernels_scalar"],
      "defines": ["NAPI_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "libraries": ["-ldl", "-lpthread"],
      "conditions": [
        ["target_arch=='x64'", {
          "cflags_cc": ["-march=x86-64-v2"],
          "dependencies": ["kernels_avx2", "kernels_avx512"],
          "defines": ["TS_HAVE_X86_KERNELS=1"]
        }],
        ["emulate_avx512==1", {"defines": ["TS_EMULATED_AVX512=1"]}]
      ]
    }
  ],
  "conditions": [
    ["target_arch=='x64'", {
      "targets": [
        {
          "target_name": "kernels_avx2",
          "type": "static_library",
          "sources": ["<@(isa_sources)"],
          "defines": ["TS_ISA=avx2", "TS_ISA_AVX2=1"],
          "cflags_cc": ["-march=x86-64-v2", "-mavx2", "-mfma", "-mf16c"]
        },
        {
          "target_name": "kernels_avx512",
          "type": "static_library",
          "sources": ["<@(isa_sources)"],
          "defines": ["TS_ISA=avx512", "TS_ISA_AVX512=1"],
          "cflags_cc": ["-march=x86-64-v2", "-mavx2", "-mfma", "-mf16c"],
          "conditions": [
            ["emulate_avx512==1", {
              "defines": ["SIMDE_ENABLE_NATIVE_ALIASES"],
              "cflags_cc!": ["-O3"],
              "cflags_cc": ["-O1", "-Wno-psabi", "-Wno-ignored-attributes", "-include", "cpu-avx/emulation/avx512.h"]
            }, {
              "cflags_cc": ["-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"]
            }]
          ]
        }
      ]
    }]
  ]
}
