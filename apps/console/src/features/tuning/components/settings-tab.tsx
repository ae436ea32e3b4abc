import type { TuningJobConfig } from '@attune/contracts';
import { Code } from '@mantine/core';

export function SettingsTab({ config }: { config: TuningJobConfig }) {
  return (
    <Code block aria-label="Settings">
      {JSON.stringify(config, null, 2)}
    </Code>
  );
}
