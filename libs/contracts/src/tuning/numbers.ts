import { z } from 'zod';

/** A whole number from 0 on, left out: `value`. */
export const count = (value: number) => z.number().int().min(0).default(value);

/** A number above 0, left out: `value`. */
export const positive = (value: number) => z.number().positive().default(value);
