/**
 * The numbers of the plan format (docs/plan-format.md, which says what the fields mean). Reader: native/core/plan.cc.
 */
export const planMagic = 0x4c505354
export const planVersion = 1
/** `TSPF` */
export const planFileMagic = 0x46505354
export const planFileVersion = 1

/** Stands for "none" where an index or a count is optional. */
export const noIndex = 0xffffffff

export const TypeKind = {
  Tensor: 0,
  int: 1,
  float: 2,
  bool: 3,
  complex: 4,
  str: 5,
  number: 6,
  NoneType: 7,
  Device: 8,
  Generator: 9,
  Any: 10,
  List: 11,
  Dict: 12,
  Optional: 13,
  Union: 14,
  Tuple: 15,
  NamedTuple: 16,
  Class: 17,
  Enum: 18,
  Future: 19,
  Function: 20,
  AnyList: 21,
  AnyTuple: 22,
  AnyClass: 23,
  AnyEnum: 24,
  other: 25,
} as const

export const ClassFlavor = { module: 0, class: 1, interface: 2, moduleInterface: 3, custom: 4 } as const

export const AttributeFlag = { parameter: 1, buffer: 2 } as const

export const OperatorKind = { byName: 0, kernelRow: 1 } as const

export const OperatorVariant = { functional: 0, inplace: 1, out: 2 } as const

export const ValueTag = {
  None: 0,
  false: 1,
  true: 2,
  int: 3,
  float: 4,
  complex: 5,
  tensor: 6,
  heap: 7,
  device: 8,
  function: 9,
  uninitialized: 10,
  string: 11,
} as const

export const HeapKind = { list: 0, tuple: 1, dict: 2, object: 3, objectWithState: 4, enum: 5 } as const

export const FunctionErrorKind = { compile: 0, unsupported: 1 } as const

/** Opcodes; the words that follow each are in the table of docs/plan-format.md. */
export const Op = {
  CONST: 0,
  MOVE: 1,
  OP: 2,
  CALL: 3,
  CALL_METHOD: 4,
  JUMP: 5,
  JUMP_FALSE: 6,
  LOOP_BEGIN: 7,
  LOOP_NEXT: 8,
  RETURN: 9,
  GET_ATTR: 10,
  SET_ATTR: 11,
  TUPLE: 12,
  TUPLE_UNPACK: 13,
  TUPLE_INDEX: 14,
  LIST: 15,
  LIST_UNPACK: 16,
  DICT: 17,
  NEW_OBJECT: 18,
  ISINSTANCE: 19,
  RAISE: 20,
  FORK: 21,
  WAIT: 22,
  DROP: 23,
  UNINITIALIZED: 24,
  TUPLE_SLICE: 25,
  UNSUPPORTED: 26,
  ENUM_NAME: 27,
  ENUM_VALUE: 28,
  UNCHECKED_CAST: 29,
  ENTER: 30,
  EXIT: 31,
} as const
