import { Box, Group, Text, Tooltip } from '@mantine/core';
import { CartesianGrid, Line, LineChart, ResponsiveContainer, Tooltip as ChartTooltip, XAxis, YAxis } from 'recharts';
import { axisStyle, tooltipStyle } from '../../../components/ui/chart-style.js';
import { formatNumber, words } from '../../../lib/format.js';
import type { Curve } from '../curves.js';
import { metricSentences } from '../metric-sentences.js';
import classes from './tuning.module.css';

/** Told apart also without colour: the first line is solid, the others are dashed differently. */
const lines = [
  { color: 'var(--mantine-color-teal-6)', dash: undefined },
  { color: 'var(--mantine-color-orange-6)', dash: '6 3' },
  { color: 'var(--mantine-color-indigo-5)', dash: '2 3' },
  { color: 'var(--mantine-color-pink-6)', dash: '8 3 2 3' },
];

export function CurveChart({ curve, stage }: { curve: Curve; stage: string }) {
  const last = (name: string) => curve.points.findLast((point) => point[name] !== undefined)?.[name] ?? Number.NaN;
  const sentence = curve.series
    .map((name) => metricSentences[name] ?? '')
    .join(' ')
    .trim();
  return (
    <figure className={classes.chart} style={{ margin: 0 }} aria-label={`${stage}: ${curve.title}`}>
      <Group justify="space-between" mb={6} gap="xs">
        <Tooltip label={sentence} disabled={sentence === ''} multiline w={260}>
          <Text size="sm" fw={600}>
            {curve.title}
          </Text>
        </Tooltip>
        <Group gap="sm">
          {curve.series.map((name, index) => (
            <Group key={name} gap={5}>
              <Box w={10} h={3} bg={lines[index % lines.length]!.color} style={{ borderRadius: 2 }} />
              <Text size="xs" c="dimmed">
                {curve.series.length > 1 && `${words(name)} `}
                {formatNumber(last(name))}
              </Text>
            </Group>
          ))}
        </Group>
      </Group>
      <ResponsiveContainer width="100%" height={150}>
        <LineChart data={curve.points} margin={{ top: 4, right: 8, bottom: 0, left: 0 }}>
          <CartesianGrid stroke="var(--attune-line)" vertical={false} />
          <XAxis dataKey="step" type="number" domain={['dataMin', 'dataMax']} allowDecimals={false} {...axisStyle} />
          <YAxis width={50} domain={['auto', 'auto']} tickFormatter={formatNumber} axisLine={false} {...axisStyle} />
          <ChartTooltip
            formatter={(value, name) => [formatNumber(Number(value)), words(String(name))]}
            labelFormatter={(step) => `Step ${String(step)}`}
            contentStyle={tooltipStyle}
          />
          {curve.series.map((name, index) => (
            <Line
              key={name}
              dataKey={name}
              type="linear"
              stroke={lines[index % lines.length]!.color}
              strokeDasharray={lines[index % lines.length]!.dash}
              strokeWidth={1.8}
              dot={curve.points.length < 2}
              connectNulls
              isAnimationActive={false}
            />
          ))}
        </LineChart>
      </ResponsiveContainer>
    </figure>
  );
}
