import { Navigate } from 'react-router';
import { useSession } from '../../features/session/session-context.js';
import { mayActAs } from '../../lib/roles.js';
import { consolePages } from '../layout/console-pages.js';

/** The first console page this role may open. */
export function Component() {
  const { user } = useSession();
  const first = consolePages.find((page) => mayActAs(user.role, page.role))!;
  return <Navigate to={first.path} replace />;
}
