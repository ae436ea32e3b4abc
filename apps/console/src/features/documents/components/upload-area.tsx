import { Button, FileButton, Group, Loader, Stack, Text } from '@mantine/core';
import { IconCircleCheck, IconCircleX, IconUpload } from '@tabler/icons-react';
import { type DragEvent, useState } from 'react';
import { acceptedTypes, type Upload, useUploads } from '../use-uploads.js';
import classes from './documents.module.css';

export function UploadArea() {
  const { uploads, add } = useUploads();
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void add([...event.dataTransfer.files]);
  };
  return (
    <Stack gap="sm">
      <section
        className={classes.drop}
        data-over={over || undefined}
        aria-label="Upload documents"
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={drop}
      >
        <IconUpload size={24} stroke={1.6} />
        <Text fw={500}>Drop files here</Text>
        <Text size="sm" c="dimmed">
          {acceptedTypes.join(', ')}
        </Text>
        <FileButton onChange={(files) => void add(files)} accept={acceptedTypes.join(',')} multiple>
          {(props) => (
            <Button {...props} variant="light" size="xs" mt={6}>
              Choose files
            </Button>
          )}
        </FileButton>
      </section>
      {uploads.length > 0 && (
        <Stack gap={4} role="status" aria-label="Uploads">
          {uploads.map((upload) => (
            <UploadRow key={upload.key} upload={upload} />
          ))}
        </Stack>
      )}
    </Stack>
  );
}

function UploadRow({ upload }: { upload: Upload }) {
  return (
    <Group gap="xs" wrap="nowrap">
      {upload.status === 'done' && <IconCircleCheck size={18} color="var(--mantine-color-teal-6)" />}
      {upload.status === 'failed' && <IconCircleX size={18} color="var(--mantine-color-red-6)" />}
      {(upload.status === 'waiting' || upload.status === 'running') && <Loader size={16} />}
      <Text size="sm" fw={500}>
        {upload.filename}
      </Text>
      <Text size="sm" c={upload.status === 'failed' ? 'red' : 'dimmed'}>
        {upload.message ?? (upload.status === 'running' ? 'Being read…' : 'Waiting…')}
      </Text>
    </Group>
  );
}
