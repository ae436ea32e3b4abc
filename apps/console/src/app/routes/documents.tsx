import { DocumentsPage } from '../../features/documents/components/documents-page.js';
import { useSession } from '../../features/session/session-context.js';
import { mayActAs } from '../../lib/roles.js';

export function Component() {
  const { user } = useSession();
  return <DocumentsPage mayChange={mayActAs(user.role, 'admin')} />;
}
