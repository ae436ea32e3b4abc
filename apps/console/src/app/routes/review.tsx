import { RoleGuard } from '../../components/ui/role-guard.js';
import { ReviewPage } from '../../features/review/components/review-page.js';
import { useSession } from '../../features/session/session-context.js';

export function Component() {
  const { user } = useSession();
  return (
    <RoleGuard role={user.role} needed="reviewer">
      <ReviewPage />
    </RoleGuard>
  );
}
