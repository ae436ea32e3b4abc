import type { Lineage } from '@attune/contracts';
import { Anchor, Code, Text } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Fragment } from 'react';
import { Link } from 'react-router';
import { QueryView } from '../../../components/ui/query-view.js';
import { lineageQuery } from '../api/get-lineage.js';

/** Where a row came from, and what has been trained on it since. */
export function FeedbackLineage({ feedbackId }: { feedbackId: string }) {
  const lineage = useQuery(lineageQuery(feedbackId));
  return (
    <div>
      <Text size="xs" c="dimmed" fw={600}>
        lineage
      </Text>
      <QueryView query={lineage}>
        {(data) => (
          <Text size="sm">
            From feedback <Code>{feedbackId}</Code>
            {people(data, feedbackId)}; trained into <Checkpoints lineage={data} />.
          </Text>
        )}
      </QueryView>
    </div>
  );
}

function people({ checkpoints }: Lineage, feedbackId: string): string {
  const row = checkpoints.flatMap(({ rows }) => rows).find((one) => one.feedback_id === feedbackId);
  if (row === undefined) return '';
  return `, given by ${row.user_id}${row.reviewer_id === null ? '' : `, approved by ${row.reviewer_id}`}`;
}

function Checkpoints({ lineage }: { lineage: Lineage }) {
  if (lineage.checkpoints.length === 0) return 'no checkpoint yet';
  return lineage.checkpoints.map(({ checkpoint_id: id, status }, index) => (
    <Fragment key={id}>
      {index > 0 && ', '}
      <Anchor component={Link} to={`/console/checkpoints#${id}`} size="sm">
        {id}
      </Anchor>{' '}
      ({status})
    </Fragment>
  ));
}
