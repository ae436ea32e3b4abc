import type { Role } from '@attune/contracts';

const order: Role[] = ['user', 'reviewer', 'admin'];

/** Each role may do what the ones before it may. */
export function mayActAs(role: Role, needed: Role): boolean {
  return order.indexOf(role) >= order.indexOf(needed);
}
