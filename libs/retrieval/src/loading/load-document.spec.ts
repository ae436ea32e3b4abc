import { describe, expect, it } from 'vitest';
import { UploadLoader } from './load-document.js';

const load = async (filename: string, content: string | Uint8Array) =>
  (await new UploadLoader({ filename, content: Buffer.from(content) }).load()).map(({ pageContent }) => pageContent);

describe('plain text', () => {
  const text = 'Über die Größe: 5 € — "gut".';
  const utf16 = (littleEndian: boolean, mark: boolean) => {
    const bytes = Buffer.from(mark ? `\ufeff${text}` : text, 'utf16le');
    return littleEndian ? bytes : bytes.swap16();
  };

  it.each([
    ['UTF-8', Buffer.from(text)],
    ['UTF-8 with a mark', Buffer.from(`\ufeff${text}`)],
    ['UTF-16 LE with a mark', utf16(true, true)],
    ['UTF-16 BE with a mark', utf16(false, true)],
    ['UTF-16 LE', utf16(true, false)],
    ['UTF-16 BE', utf16(false, false)],
    ['Windows-1252', Buffer.from('\xdcber die Gr\xf6\xdfe: 5 \x80 \x97 "gut".', 'latin1')],
  ])('is read from %s', async (_, bytes) => {
    expect(await load('a.txt', bytes)).toEqual([text]);
  });

  it('joins lines that a fixed width broke, and leaves lists and paragraphs alone', async () => {
    expect(await load('a.txt', 'A long sen-\r\ntence goes\r\non.\r\n\r\n\r\n\r\n- One\r\n- Two\f')).toEqual([
      'A long sentence goes on.\n\n- One\n- Two',
    ]);
  });

  it('is refused when it is empty, blank or no text', async () => {
    await expect(load('a.txt', '')).rejects.toThrow('a.txt is empty');
    await expect(load('a.txt', ' \n\t ')).rejects.toThrow('a.txt holds no text');
    await expect(load('a.txt', Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 0, 0, 0, 1]))).rejects.toThrow(
      'a.txt is no text',
    );
  });
});

describe('markdown', () => {
  it('keeps its lines', async () => {
    expect(await load('a.MD', '# Title\n\nline one\nline two  \n')).toEqual(['# Title\n\nline one\nline two']);
  });
});

describe('HTML', () => {
  it('becomes its readable text, title first, without menus, scripts and addresses', async () => {
    const page = `<html><head><title>Leave &amp; pay</title><style>p{}</style></head><body><nav>Home</nav>
      <h1>Leave</h1><p>Staff get <a href="http://x.test/y">25 days</a>.</p><ul><li>one</li></ul>
      <table><tr><th>Year</th><th>Days</th></tr><tr><td>2026</td><td>25</td></tr></table>
      <script>alert('no')</script></body></html>`;
    expect(await load('a.html', page)).toEqual([
      'Leave & pay\n\nLeave\n\nStaff get 25 days.\n\n * one\n\nYear   Days\n2026   25',
    ]);
  });

  it('believes the charset it states, in either form', async () => {
    const body = '<body>\xcf\xf0\xe8\xe2\xe5\xf2</body>';
    const modern = Buffer.from(`<meta charset="windows-1251">${body}`, 'latin1');
    const older = Buffer.from(
      `<meta http-equiv="content-type" content="text/html; charset=windows-1251">${body}`,
      'latin1',
    );
    expect(await load('a.html', modern)).toEqual(['Привет']);
    expect(await load('a.htm', older)).toEqual(['Привет']);
  });
});

describe('PDF', () => {
  it('becomes one document a page', async () => {
    const documents = await new UploadLoader({
      filename: 'a.pdf',
      content: pdf(['The warranty lasts\ntwo years.', '', 'It covers the engine.']),
    }).load();
    expect(documents.map(({ pageContent, metadata }) => [metadata.page, pageContent])).toEqual([
      [1, 'The warranty lasts two years.'],
      [3, 'It covers the engine.'],
    ]);
  });

  it('says what is wrong with one that is a scan, encrypted, damaged or no PDF', async () => {
    const encrypt = `/ID [<00><00>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <${'11'.repeat(32)}> /U <${'22'.repeat(32)}> /P -4 >>`;
    const encrypted = pdf(['x']).toString('latin1').replace('/Root', `${encrypt} /Root`);
    await expect(load('a.pdf', pdf(['', '']))).rejects.toThrow(/no text on any page, it is probably a scan/);
    await expect(load('a.pdf', encrypted)).rejects.toThrow(/is encrypted; save it without a password/);
    await expect(load('a.pdf', '%PDF-1.7 and then nothing')).rejects.toThrow(/a\.pdf is no readable PDF/);
    await expect(load('a.pdf', 'plain words')).rejects.toThrow(/is no PDF by its content/);
  });
});

it('reads only types it knows, whatever the content pretends', async () => {
  await expect(load('a.exe', 'MZ')).rejects.toThrow('upload one of .txt, .md, .html, .htm, .pdf');
  await expect(load('constructor', 'x')).rejects.toThrow(/cannot be read/);
  await expect(load('a.txt', pdf(['x']))).rejects.toThrow(/is a PDF by its content/);
});

/** A small valid PDF: one Helvetica line each line of a page. */
function pdf(pages: string[]): Buffer {
  const kids = pages.map((_, index) => `${4 + index * 2} 0 R`).join(' ');
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Kids [${kids}] /Count ${pages.length} >>`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
    ...pages.flatMap((text, index) => pageObjects(text, 5 + index * 2)),
  ];
  let body = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const offset = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return `${String(offset).padStart(10, '0')} 00000 n \n`;
  });
  const table = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${offsets.join('')}`;
  const trailer = `trailer\n<< /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF`;
  return Buffer.from(body + table + trailer, 'latin1');
}

function pageObjects(text: string, contentId: number): string[] {
  const lines = text.split('\n').map((line, row) => `BT /F1 12 Tf 72 ${700 - 14 * row} Td (${line}) Tj ET`);
  const stream = text ? lines.join('\n') : '';
  return [
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Resources << /Font << /F1 3 0 R >> >> /Contents ${contentId} 0 R >>`,
    `<< /Length ${stream.length} >>\nstream\n${stream}\nendstream`,
  ];
}
