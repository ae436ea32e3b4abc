import type { Model } from '@attune/contracts';
import { ActionIcon, Popover, Select, Slider, Stack, Switch, Text } from '@mantine/core';
import { IconAdjustmentsHorizontal } from '@tabler/icons-react';
import type { ChatSettings } from '../chat-settings.js';

export interface SettingsPopoverProps {
  settings: ChatSettings;
  onChange: (change: Partial<ChatSettings>) => void;
  models: Model[];
  model: string | null;
}

export function SettingsPopover({ settings, onChange, models, model }: SettingsPopoverProps) {
  return (
    <Popover position="top-start" width={280} trapFocus shadow="md">
      <Popover.Target>
        <ActionIcon aria-label="Answer settings" title="Answer settings">
          <IconAdjustmentsHorizontal size={18} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <Stack gap="md">
          <Select
            label="Model"
            data={models.map((one) => one.id)}
            value={model}
            onChange={(chosen) => onChange({ model: chosen })}
            allowDeselect={false}
            comboboxProps={{ withinPortal: false }}
          />
          <div>
            <Text size="sm" fw={500} mb={4}>
              Temperature {settings.temperature.toFixed(1)}
            </Text>
            <Slider
              min={0}
              max={2}
              step={0.1}
              value={settings.temperature}
              onChange={(temperature) => onChange({ temperature })}
              label={null}
              thumbLabel="Temperature"
            />
            <Text size="xs" c="dimmed" mt={6}>
              0 always gives the likeliest answer; more gives more varied ones.
            </Text>
          </div>
          <Switch
            label="Use documents"
            description="Ground answers in what has been uploaded"
            checked={settings.retrieval}
            onChange={(event) => onChange({ retrieval: event.currentTarget.checked })}
          />
        </Stack>
      </Popover.Dropdown>
    </Popover>
  );
}
