import { Code, Tooltip } from '@mantine/core';

/** The digest of the weights something came from, short; whole when pointed at. */
export function Weights({ digest }: { digest: string }) {
  return (
    <Tooltip label={`Weights ${digest}`} multiline maw={420} style={{ wordBreak: 'break-all' }}>
      <Code fz={11} c="dimmed" bg="transparent" tabIndex={0} aria-label={`From weights ${digest}`}>
        {shortDigest(digest)}
      </Code>
    </Tooltip>
  );
}

/** The first eight characters after any `sha256:` or `fp_`. */
function shortDigest(digest: string): string {
  return digest.replace(/^[a-z0-9]+[:_]/i, '').slice(0, 8);
}
