/** Injection tokens of things that are not classes of ours. */
export const CONFIG = Symbol('Config');
export const LOGGER = Symbol('Logger');
export const CLOCK = Symbol('Clock');
export const ENGINE = Symbol('Engine');
