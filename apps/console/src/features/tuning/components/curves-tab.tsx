import { SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { QueryView } from '../../../components/ui/query-view.js';
import { metricsQuery } from '../api/jobs.js';
import { curvesOf, stageTitle } from '../curves.js';
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
          {stages.map(({ stage, curves }) => (
            <section key={stage} aria-label={stageTitle(stage)}>
              <Title order={2} mb="sm">
                {stageTitle(stage)}
              </Title>
              <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
                {curves.map((curve) => (
                  <CurveChart key={curve.title} curve={curve} stage={stageTitle(stage)} />
                ))}
              </SimpleGrid>
            </section>
          ))}
        </Stack>
      )}
    </QueryView>
  );
}
