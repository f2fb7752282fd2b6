/** The public names below `torch.profiler`. */
export { profile, Profile, recordFunction } from './profile.js'
export type { KeyAveragesOptions, ProfilerEvent, ProfilerTensor } from './profile.js'
export type { AveragedEvent, KeyAverages, SortKey, TableOptions } from './table.js'
