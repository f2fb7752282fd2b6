import { ArgumentError } from '../../../util/errors.js'
import { Module } from '../module.js'
import { withoutInit } from '../skipped-init.js'

/**
 * A module whose parameters have undefined contents, for when a state dict is loaded anyway: `skipInit(nn.Linear, 784, 128)`. The functions of
 * `nn.init` do nothing while the module is made, and take no random numbers.
 */
export function skipInit<A extends unknown[], T extends Module>(moduleClass: new (...args: A) => T, ...args: A): T {
  if (typeof moduleClass !== 'function' || !(moduleClass.prototype instanceof Module))
    throw new ArgumentError(`Expected a class of modules for \`moduleClass\` but received ${String(moduleClass)}`)
  return withoutInit(() => new moduleClass(...args))
}
