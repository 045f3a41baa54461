import { describe, expect, it } from 'vitest';
import { type Content, html, Markup } from '../../../../../src/cli/report/html/markup.ts';
import { registerSecret } from '../../../../../src/redact.ts';

describe('markup', () => {
  it('escapes whatever is put in, in text and in attributes', () => {
    const nasty = `</p><script>alert("x")</script>&amp;'`;
    const escaped = '&lt;/p&gt;&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&amp;amp;&#39;';
    expect(html`<p title="${nasty}">${nasty}</p>`.text).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  it('leaves markup as it is, joins lists, and leaves out what is not there', () => {
    const items: Content[] = ['<a>', undefined, false, 3, html`<b>${'&'}</b>`];
    expect(html`<p>${items}${undefined}${new Markup('<br>')}</p>`.text).toBe('<p>&lt;a&gt;3<b>&amp;</b><br></p>');
  });

  it('redacts before it escapes, so that no secret hides behind an entity', () => {
    registerSecret('p&ss"w<rd>4711');
    const text = 'postgres://shop:tiger99@db/x said p&ss"w<rd>4711';
    expect(html`<p>${text}</p>`.text).toBe('<p>postgres://shop:***@db/x said ***</p>');
  });

  it('lets no control character and no turn of direction through', () => {
    expect(html`${'a\u001b[31mb\u0000c\u202ed\r\ne\tf'}`.text).toBe('a\ufffd[31mb\ufffdc\ufffdd\ufffd\ne\tf');
  });
});
