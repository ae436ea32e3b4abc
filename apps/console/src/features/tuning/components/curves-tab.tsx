import { Button, Group, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { QueryView } from '../../../components/ui/query-view.js';
import { plural } from '../../../lib/format.js';
import { metricsQuery } from '../api/jobs.js';
import { curvesOf, type StageCurves, stageTitle } from '../curves.js';
import { CurveChart } from './curve-chart.js';

export function CurvesTab({ jobId, active }: { jobId: string; active: boolean }) {
  const metrics = useQuery(metricsQuery(useQueryClient(), jobId, active));
  const stages = useMemo(() => curvesOf(metrics.data ?? []), [metrics.data]);
  return (
    <QueryView query={metrics}>
      {() => (
        <Stack gap="xl">
          {stages.length === 0 && (
            <Text c="dimmed" size="sm">
              {active ? 'The first numbers come with the first step.' : 'This job measured nothing.'}
            </Text>
          )}
          {stages.map((stage) => (
            <StageSection key={stage.stage} stage={stage} />
          ))}
        </Stack>
      )}
    </QueryView>
  );
}

/** The few curves that say how the stage goes; the rest on request. */
function StageSection({ stage: { stage, curves } }: { stage: StageCurves }) {
  const [all, { toggle }] = useDisclosure(false);
  const numMore = curves.filter((curve) => !curve.main).length;
  const title = stageTitle(stage);
  return (
    <section aria-label={title}>
      <Group justify="space-between" mb="sm">
        <Title order={2}>{title}</Title>
        {numMore > 0 && (
          <Button variant="subtle" size="compact-sm" onClick={toggle} aria-expanded={all}>
            {all ? 'Show the main curves only' : `Show ${plural(numMore, 'more curve')}`}
          </Button>
        )}
      </Group>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
        {curves
          .filter((curve) => all || curve.main)
          .map((curve) => (
            <CurveChart key={curve.title} curve={curve} stage={title} />
          ))}
      </SimpleGrid>
    </section>
  );
}
