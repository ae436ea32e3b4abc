import { useParams } from 'react-router';
import { RoleGuard } from '../../components/ui/role-guard.js';
import { useSession } from '../../features/session/session-context.js';
import { JobPage } from '../../features/tuning/components/job-page.js';

export function Component() {
  const { user } = useSession();
  const { jobId } = useParams();
  return (
    <RoleGuard role={user.role} needed="admin">
      <JobPage key={jobId} jobId={jobId!} />
    </RoleGuard>
  );
}
