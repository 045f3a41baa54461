/** The page's style: system fonts, both colour schemes, a phone's width, and paper. Contrast of text is 4.5:1 or more. */
export const style = `
:root{color-scheme:light dark;--back:#f6f7f9;--card:#fff;--text:#1a2230;--dim:#5a6575;--line:#dfe3e9;--accent:#2563a8;--good:#1f7a4d;--warned:#9a5b00;--failed:#b3261e;--idle:#5a6575;--good-back:#e3f3ea;--warned-back:#fbeed8;--failed-back:#fbe4e2;--idle-back:#eceff3}
@media (prefers-color-scheme:dark){:root{--back:#12161c;--card:#1a2029;--text:#e6eaf0;--dim:#9aa5b5;--line:#2f3845;--accent:#6aa9ee;--good:#5cc48d;--warned:#e8ab4f;--failed:#f28b82;--idle:#9aa5b5;--good-back:#15321f;--warned-back:#3a2a0e;--failed-back:#43191a;--idle-back:#252c37}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","DejaVu Sans",sans-serif;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
main,header,footer{max-width:70rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.25rem}
h1{margin:0;font-size:1.7rem;line-height:1.2;font-weight:650;letter-spacing:-.015em}
h2{margin:0;font-size:1.3rem;line-height:1.25;font-weight:650;letter-spacing:-.01em}
h3{margin:1.75rem 0 .5rem;font-size:.8rem;font-weight:650;letter-spacing:.06em;text-transform:uppercase;color:var(--dim)}
p{margin:.35rem 0}
a{color:inherit}
a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:4px}
.dim,header p,footer{color:var(--dim)}
code{font:.87em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--idle-back);padding:.12em .4em;border-radius:4px}
.state{display:inline-block;font-size:.8rem;font-weight:600;line-height:1;padding:.35em .65em;border-radius:1em;white-space:nowrap;color:var(--idle);background:var(--idle-back)}
.state.good{color:var(--good);background:var(--good-back)}
.state.warning{color:var(--warned);background:var(--warned-back)}
.state.failing{color:var(--failed);background:var(--failed-back)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(15.5rem,1fr));gap:.9rem;margin:1.75rem 0 0;padding:0;list-style:none}
.cards a{display:flex;flex-direction:column;height:100%;padding:1rem 1.1rem;background:var(--card);border:1px solid var(--line);border-radius:10px;text-decoration:none}
.cards a:hover{border-color:var(--accent)}
.cards .top,.head{display:flex;gap:.75rem;align-items:flex-start;justify-content:space-between}
.cards .top b{font-weight:650;line-height:1.35}
.cards .age{font-size:1.45rem;font-weight:600;letter-spacing:-.015em;line-height:1.2;margin:.8rem 0 0}
.cards .dim{font-size:.87rem}
.cards .last{margin-top:auto;padding-top:.5rem}
section{margin:1.25rem 0;padding:1.5rem 1.6rem 1.6rem;background:var(--card);border:1px solid var(--line);border-radius:12px}
section>.dim{margin-top:.15rem}
.concerns{margin:1rem 0 0;padding:.7rem 1rem;list-style:none;border-radius:8px;border-left:4px solid}
.concerns.failing{color:var(--failed);background:var(--failed-back)}
.concerns.warning{color:var(--warned);background:var(--warned-back)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(11.5rem,1fr));gap:1rem 1.5rem;margin:1.25rem 0 0}
.facts dt{font-size:.8rem;color:var(--dim)}
.facts dd{margin:.1rem 0 0}
.facts dd b{display:block;font-size:1.12rem;font-weight:600;line-height:1.3}
.chart{margin:.75rem 0 0;padding-left:4.6rem}
.plot{position:relative}
.plot svg{display:block;width:100%;height:100%;overflow:visible}
.band{position:absolute;top:0;left:-4.6rem;right:0;margin:0;font-size:.84rem;line-height:22px;height:22px;color:var(--dim);white-space:nowrap;overflow:hidden;text-overflow:ellipsis;pointer-events:none}
.band b{font-weight:600;color:var(--text);margin-right:.5em}
.scale i,.times i{position:absolute;font-style:normal;font-size:.76rem;line-height:1;color:var(--dim);white-space:nowrap}
.scale i{right:100%;margin-right:.6rem;transform:translateY(-50%)}
.times{position:relative;height:1.7rem;margin-top:.55rem}
.times i{transform:translateX(-50%)}
.times i::before{content:"";position:absolute;left:50%;top:-.5rem;height:.3rem;border-left:1px solid var(--dim)}
.grid{fill:none;stroke:var(--line);stroke-width:1;vector-effect:non-scaling-stroke}
.bar{fill:var(--accent)}
.bar.odd{fill:var(--warned)}
path.spread{fill:var(--accent);opacity:.35}
path.good{fill:var(--good)}path.warned{fill:var(--warned)}path.failed{fill:var(--failed)}
.hints rect{fill:transparent}
.hints rect:hover{fill:var(--text);opacity:.1}
figcaption{margin-left:-4.6rem;font-size:.8rem;color:var(--dim)}
.key{display:inline-block;margin-right:1.1rem}
.key::before{content:"";display:inline-block;width:.6em;margin-right:.45em;vertical-align:baseline;height:.2em;background:var(--good)}
.key.warned::before{height:.5em;background:var(--warned)}
.key.failed::before{height:.85em;background:var(--failed)}
.key.spread::before{height:.85em;background:var(--accent);opacity:.35}
.wide{overflow-x:auto;margin:0 -.25rem;padding:0 .25rem}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:.5rem 1.1rem .5rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
th:last-child,td:last-child{padding-right:0}
tbody tr:last-child>*{border-bottom:0}
thead th{font-size:.8rem;font-weight:500;color:var(--dim);white-space:nowrap}
tbody th{font-weight:600}
time,.n{white-space:nowrap}
details{margin:.6rem 0 0}
summary{cursor:pointer;color:var(--accent);width:fit-content}
.failures{margin:0;padding:0;list-style:none}
.failures li{padding:.7rem 0;border-bottom:1px solid var(--line)}
.failures li:first-child{padding-top:.2rem}.failures li:last-child{border-bottom:0;padding-bottom:0}
.failures .what{margin:.2rem 0;white-space:pre-line;font-weight:500}
.word{font-weight:600}
.word.good{color:var(--good)}.word.warned{color:var(--warned)}.word.failed{color:var(--failed)}.word.running{color:var(--dim)}
.empty{margin:1.5rem 0 0;padding:1.6rem;text-align:center;color:var(--dim);border:1px dashed var(--line);border-radius:10px}
footer{padding-top:.5rem;padding-bottom:2.5rem;font-size:.84rem}
@media (max-width:40rem){body{font-size:16px}main,header,footer{padding-left:.9rem;padding-right:.9rem}section{padding:1.15rem 1rem}.facts{grid-template-columns:1fr 1fr;gap:.9rem 1rem}.chart{padding-left:3.7rem}.band,figcaption{margin-left:0}.band{left:-3.7rem;font-size:.75rem}figcaption{margin-left:-3.7rem}.key{display:block}.times i:nth-child(even){display:none}
.stack thead{position:absolute;clip-path:inset(50%);height:1px;width:1px;overflow:hidden}.stack tr{display:block;padding:.6rem 0;border-bottom:1px solid var(--line)}.stack tr:last-child{border-bottom:0}.stack th,.stack td{display:grid;grid-template-columns:6.5rem 1fr;padding:.1rem 0;border:0}.stack th{display:block;font-size:1rem}.stack td::before{content:attr(data-label);color:var(--dim);font-size:.87rem}}
@media print{:root{color-scheme:light;--back:#fff;--card:#fff;--text:#000;--dim:#444;--line:#bbb}body{font-size:10pt}section{border:0;padding:1rem 0;border-top:1px solid var(--line);border-radius:0}.facts,.chart,.failures li,tr,.cards li{break-inside:avoid}h2,h3{break-after:avoid}path,.state,.concerns,.key::before{print-color-adjust:exact;-webkit-print-color-adjust:exact}details:not([open]){display:none}summary{color:inherit}}
`.trim();
