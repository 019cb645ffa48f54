//! The page's style sheet: calm, readable in light and dark, on paper and on
//! a phone.

use super::super::charts::{rules, variables};

/// All of it.
pub(super) fn style() -> String {
    format!(
        ":root{{color-scheme:light;{}}}\
         @media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;{}}}}}{}{}",
        variables(false),
        variables(true),
        rules(),
        OWN.replace('\n', "").replace("  ", "")
    )
}

/// Layout and typography; colours come from the charts' variables.
const OWN: &str = "
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--pl-ground);color:var(--pl-text);
  font:15px/1.55 system-ui,-apple-system,\"Segoe UI\",Roboto,\"Helvetica Neue\",Arial,sans-serif}
main,header,footer{max-width:880px;margin:0 auto;padding:0 20px}
header{padding-top:36px}
h1{font-size:28px;line-height:1.2;margin:4px 0 14px;letter-spacing:-.01em}
h2{font-size:20px;line-height:1.3;margin:52px 0 10px;padding-top:14px;
  border-top:1px solid var(--pl-grid)}
h3{font-size:16px;margin:30px 0 8px}
p{margin:8px 0;max-width:80ch}
a{color:inherit;text-decoration-color:var(--pl-axis);text-underline-offset:2px}
.over{color:var(--pl-muted);margin:0}
.lead{font-size:17px;line-height:1.5}
.note,figcaption,caption{color:var(--pl-muted);font-size:13.5px}
nav{font-size:13.5px}
nav ul{display:flex;flex-wrap:wrap;gap:2px 18px;list-style:none;margin:18px 0 0;padding:0}
.alert{border-left:4px solid var(--pl-s1);background:var(--pl-shade);padding:8px 14px;margin:16px 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;
  margin:22px 0;padding:0;list-style:none}
.tiles li{background:var(--pl-shade);border-radius:8px;padding:12px 14px}
.tiles b{display:block;font-size:21px;line-height:1.3;font-variant-numeric:tabular-nums;
  letter-spacing:-.01em}
.tiles span{display:block;font-size:13px;color:var(--pl-muted)}
.scroll{overflow-x:auto;margin:10px 0 14px}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:0 0 6px;position:sticky;left:0;
  max-width:min(840px,calc(100vw - 32px))}
th,td{text-align:left;vertical-align:top;padding:7px 14px 7px 0;border-bottom:1px solid var(--pl-grid)}
th:last-child,td:last-child{padding-right:0}
thead th{font-size:13px;font-weight:600;color:var(--pl-muted);vertical-align:bottom}
tbody th{font-weight:500}
.n{text-align:right;white-space:nowrap}
thead .n{white-space:normal}
table.wide-first tbody th{min-width:150px}
tr.chosen th,tr.chosen td,tr.sum th,tr.sum td{font-weight:650}
tr.sum th,tr.sum td{border-bottom:2px solid var(--pl-axis)}
td small,th small{display:block;font-size:12.5px;font-weight:400;color:var(--pl-muted)}
.tag{display:inline-block;font-size:11.5px;font-weight:600;border:1px solid currentColor;
  border-radius:9px;padding:0 7px;white-space:nowrap}
.exact{color:var(--pl-muted);font-size:12.5px}
code,pre,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",monospace;
  font-size:13px;overflow-wrap:anywhere}
pre.diff{background:var(--pl-shade);border-radius:8px;padding:12px 14px;overflow-x:auto;
  line-height:1.5;white-space:pre-wrap}
pre.diff del,pre.diff ins{display:block;text-decoration:none}
pre.diff del{border-left:3px solid var(--pl-s1);padding-left:8px}
pre.diff ins{border-left:3px solid var(--pl-s0);padding-left:8px}
figure{margin:18px 0 26px}
figcaption{color:var(--pl-text);font-weight:600;font-size:14px;margin-bottom:6px}
figure svg{display:block;width:100%;height:auto}
figure .narrow{display:none}
details{border-top:1px solid var(--pl-grid);padding:2px 0}
details:last-of-type{border-bottom:1px solid var(--pl-grid)}
summary{cursor:pointer;padding:9px 0;font-weight:600}
summary span{font-weight:400;color:var(--pl-muted)}
.swatch{display:inline-block;width:10px;height:10px;margin-right:7px;border-radius:2px}
ul.plain{padding-left:20px;margin:8px 0}
footer{padding-bottom:60px;margin-top:50px}
@media screen and (max-width:700px){
  body{font-size:15px}
  main,header,footer{padding:0 16px}
  header{padding-top:24px}
  h1{font-size:24px}
  figure .wide{display:none}
  figure .narrow{display:block}
  .tiles{grid-template-columns:1fr 1fr}
  .exact{display:none}
  th,td{padding-right:12px}
}
@media print{
  body{font-size:10.5pt}
  main,header,footer{max-width:none;padding:0}
  nav{display:none}
  h2,h3,summary,figcaption{break-after:avoid}
  figure,tr,.tiles{break-inside:avoid}
  .scroll{overflow:visible}
  details::details-content{content-visibility:visible;display:block;height:auto}
  .tiles li,pre.diff{border:1px solid var(--pl-grid)}
}
";
