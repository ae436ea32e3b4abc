import { Box, Group, Text } from '@mantine/core';
import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { axisStyle, tooltipStyle } from '../../../components/ui/chart-style.js';
import { formatCount, plural } from '../../../lib/format.js';
import { totals, type DayOfUse } from '../use-by-day.js';

const parts = [
  { key: 'promptTokens', name: 'Prompts', color: 'var(--mantine-color-teal-6)' },
  { key: 'answerTokens', name: 'Answers', color: 'var(--mantine-color-orange-6)' },
] as const;

/** Tokens by day, prompts below and answers above. */
export function UseChart({ days }: { days: DayOfUse[] }) {
  const { requests, tokens } = totals(days);
  const requestsOf = (day: string) => days.find((one) => one.day === day)?.requests ?? 0;
  return (
    <figure style={{ margin: 0 }} aria-label="Tokens by day">
      <Group justify="space-between" mb={6}>
        <Text size="sm" fw={600}>
          Tokens by day
        </Text>
        <Group gap="sm">
          {parts.map(({ key, name, color }) => (
            <Group key={key} gap={5}>
              <Box w={10} h={10} bg={color} style={{ borderRadius: 2 }} />
              <Text size="xs" c="dimmed">
                {name}
              </Text>
            </Group>
          ))}
        </Group>
        <Text size="xs" c="dimmed">
          {days.length} days: {plural(requests, 'request')}, {formatCount(tokens)} tokens
        </Text>
      </Group>
      <ResponsiveContainer width="100%" height={150}>
        <BarChart data={days} margin={{ top: 4, right: 8, bottom: 0, left: 0 }} barCategoryGap={2}>
          <CartesianGrid stroke="var(--attune-line)" vertical={false} />
          <XAxis dataKey="day" tickFormatter={(day) => String(day).slice(5)} minTickGap={30} {...axisStyle} />
          <YAxis width={44} tickFormatter={formatCount} allowDecimals={false} axisLine={false} {...axisStyle} />
          <Tooltip
            formatter={(value, name) => [String(value), parts.find(({ key }) => key === name)?.name]}
            labelFormatter={(day) => `${String(day)}: ${plural(requestsOf(String(day)), 'request')}`}
            contentStyle={tooltipStyle}
            cursor={{ fill: 'var(--attune-sunken)' }}
          />
          {parts.map(({ key, color }) => (
            <Bar key={key} dataKey={key} stackId="tokens" fill={color} isAnimationActive={false} />
          ))}
        </BarChart>
      </ResponsiveContainer>
    </figure>
  );
}
