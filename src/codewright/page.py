"""The style of the report's page, light and dark."""

STYLE = """
:root{color-scheme:light dark;--paper:#fbfaf8;--sheet:#fff;--ink:#1c2024;--soft:#626a73;
--line:#e4e2dd;--accent:#0b7a75;--band:#0b7a7526;--passed:#17907f;--failed:#f0c987;--error:#d9653b;
--timeout:#5b7db1;--memory:#8d6bb5;--crashed:#45474f;--refused:#b5b9bf;--other:#cfc9bf}
@media(prefers-color-scheme:dark){:root{--paper:#14171a;--sheet:#1b1f23;--ink:#e8e6e1;--soft:#98a0a8;
--line:#2e3439;--accent:#4cc2b4;--band:#4cc2b430;--passed:#2fa893;--failed:#6d6350;--error:#c2572f;
--timeout:#5f86c4;--memory:#9a7cc4;--crashed:#c8cbd1;--refused:#5a6067;--other:#4a4d50}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 ui-sans-serif,system-ui,
-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1080px;margin:0 auto;padding:56px 28px 72px}
header{margin-bottom:36px}
header p{margin:0;color:var(--soft);overflow-wrap:anywhere}
.kicker{font-size:13px;letter-spacing:.08em;text-transform:uppercase}
h1{margin:6px 0 4px;font-size:44px;line-height:1.1;letter-spacing:-.02em;font-weight:650}
h2{margin:0 0 16px;font-size:19px;font-weight:620;letter-spacing:-.01em}
section,details{margin:0 0 28px;padding:24px 26px;background:var(--sheet);
border:1px solid var(--line);border-radius:12px}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(172px,1fr));padding:0;gap:1px;
background:var(--line);overflow:hidden}
.card{background:var(--sheet);padding:18px 22px}
.card span,.card small{display:block;color:var(--soft);font-size:13px}
.card strong{display:block;font-size:30px;white-space:nowrap;line-height:1.25;
font-weight:640;letter-spacing:-.02em}
.note{margin:-14px 0 28px;color:var(--soft)}
.two{display:grid;grid-template-columns:1fr 1fr;gap:0 28px}
@media(max-width:800px){.two{grid-template-columns:1fr}h1{font-size:34px}}
figure{margin:0}
figcaption{margin-top:14px;color:var(--soft);font-size:14px}
svg{display:block;width:100%;height:auto;overflow:visible}
.tick{font-size:12px;fill:var(--soft)}.label{font-size:13px;fill:var(--ink)}
.value{font-size:13px;font-weight:620;fill:var(--ink)}
.grid{stroke:var(--line);stroke-width:1}
.band{fill:var(--band)}.curve{fill:none;stroke:var(--accent);stroke-width:2.5;stroke-linejoin:round}
.whisker{stroke:var(--accent);stroke-width:1.5}
.dot{fill:var(--sheet);stroke:var(--accent);stroke-width:2.5}
.t{fill:transparent}.t:hover{fill:#8883}
.s-passed{fill:var(--passed)}.s-failed{fill:var(--failed)}.s-error{fill:var(--error)}
.s-timeout{fill:var(--timeout)}.s-memory{fill:var(--memory)}.s-crashed{fill:var(--crashed)}
.s-refused{fill:var(--refused)}.s-other{fill:var(--other)}
.b-passed{background:var(--passed)}.b-failed{background:var(--failed)}.b-error{background:var(--error)}
.b-timeout{background:var(--timeout)}.b-memory{background:var(--memory)}
.b-crashed{background:var(--crashed)}.b-refused{background:var(--refused)}
.legend{display:flex;flex-wrap:wrap;gap:6px 22px;margin:16px 0 0;padding:0;list-style:none;
font-size:14px;color:var(--soft)}
.legend b{color:var(--ink);font-weight:600}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:7px}
.scroll{overflow-x:auto}
summary{cursor:pointer;font-size:19px;font-weight:620}
table{width:100%;margin-top:14px;border-collapse:collapse;font-size:14px}
th{text-align:left;color:var(--soft);font-weight:500}
td,th{padding:6px 14px 6px 0;border-bottom:1px solid var(--line);vertical-align:top;
white-space:nowrap}
td:last-child{white-space:normal;width:60%;overflow-wrap:anywhere}
.n{text-align:right}.bar{min-width:134px;padding-top:13px}
code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;color:var(--soft)}
.none{color:var(--soft)}
footer{color:var(--soft);font-size:13px}
dl{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0}
dd{margin:0;color:var(--ink);overflow-wrap:anywhere}
@media print{body{background:#fff}section,details{break-inside:avoid}}
"""
