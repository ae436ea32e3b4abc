import type { TuningJobStatus } from '@attune/contracts';
import { Badge } from '@mantine/core';
import { statusColors } from '../job-status.js';

export function JobBadge({ status }: { status: TuningJobStatus }) {
  return (
    <Badge color={statusColors[status]} variant="light" tt="none">
      {status}
    </Badge>
  );
}
