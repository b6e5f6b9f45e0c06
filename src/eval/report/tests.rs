use super::*;
use crate::domain::evidence::EvidenceState::{Absent, Exact, None as NotFound};
use crate::domain::failure::Code;
use crate::eval::labels::read;
use crate::eval::outcome::Outcome;
use crate::eval::testing::{answer, failed, fields, labels, run, with_evidence};

const HOSTILE: &str = r#"<script>alert("1")</script> & 'x' </pre>"#;

/// A label whose every text tries to be part of the page.
fn hostile() -> (Vec<Label>, Vec<Outcome>) {
    let text = serde_json::to_string(HOSTILE).unwrap();
    let line = format!(
        r#"{{"id":{text},"language":{text},"traps":[{text}],"event":{{"body":{text}}},"expected":{{"name":{text}}}}}"#
    );
    let given = answer(&format!(r#"{{"name":{text},"mood":{text}}}"#));
    (read("l", &line).0, vec![with_evidence(given, &[("/name", Exact, &[(0, 8)])])])
}

#[test]
fn what_labels_and_answers_say_is_no_part_of_the_page() {
    let (labels, outcomes) = hostile();
    let mut run = run(&labels, outcomes);
    HOSTILE.clone_into(&mut run.name);
    run.settings.push(("model".to_owned(), HOSTILE.to_owned()));
    let (fields, runs) = (fields(), [run.clone(), run]);
    let report = Report::new(HOSTILE, &fields, &labels, &runs);
    let page = html::write(&report).unwrap();
    assert_eq!(page.matches("<script>").count(), 1, "the page's own");
    assert_eq!(page.matches("</pre>").count(), page.matches("<pre ").count());
    assert!(!page.contains("alert(\"1\")") && page.contains("alert(&quot;1&quot;)"));
    assert!(page.contains("<mark data-v=\"0\">&lt;script&gt;</mark>alert("), "{page}");
    for from_elsewhere in ["http:", "https:", " src=", "@import", "url("] {
        assert!(!page.contains(from_elsewhere), "{from_elsewhere}");
    }
    let markdown = markdown::write(&report).unwrap();
    assert!(!markdown.contains("<script>") && markdown.contains("&lt;script>"), "{markdown}");
}

#[test]
fn pieces_of_the_text_bear_the_numbers_of_all_values_that_stand_there() {
    let labels = labels(&[r#"{"name":"Ada","total":12}"#]);
    let outcome = with_evidence(
        answer(r#"{"name":"Ada owes","total":12}"#),
        &[("/name", Exact, &[(0, 8)]), ("/total", Exact, &[(4, 11)]), ("/mood", Absent, &[]), ("/tags", NotFound, &[])],
    );
    let (fields, runs) = (fields(), [run(&labels, vec![outcome])]);
    let page = html::write(&Report::new("c", &fields, &labels, &runs)).unwrap();
    let text =
        "<mark data-v=\"0\">Ada </mark><mark data-v=\"0 1\">owes</mark><mark data-v=\"1\"> 12</mark> or 12</pre>";
    assert!(page.contains(text), "{page}");
    assert!(page.contains("<tr class=\"right\" data-v=\"1\"><th><code>/total</code></th>"), "{page}");
}

#[test]
fn a_report_is_the_baseline_of_a_later_run() {
    let labels = labels(&[r#"{"name":"Ada","total":12}"#; 12]);
    let (good, bad) = (r#"{"name":"Ada","total":12}"#, r#"{"name":"Ada","total":13}"#);
    let fields = fields();
    let before = [run(&labels, vec![answer(good); 12])];
    let written = json::write(&Report::new("c", &fields, &labels, &before)).unwrap();
    let earlier = json::read_scores(&written).unwrap();
    let worse = (0..12).map(|index| answer(if index < 9 { bad } else { good }));
    let after = [run(&labels, worse.collect())];
    let report = Report::new("c", &fields, &labels, &after).with_baseline(&earlier);
    assert!(report.with_baseline[0].is_regression());
    assert_eq!(report.with_baseline[0].left_out, 0);
    let again = Report::new("c", &fields, &labels, &before).with_baseline(&earlier);
    assert!(!again.with_baseline[0].is_regression());
    let markdown = markdown::write(&report).unwrap();
    assert!(markdown.contains("## Compared with the baseline\n\n- v against v: "), "{markdown}");
    assert!(markdown.contains("  - /total: 25.0 % instead of 100.0 % (-75.0 ± "), "{markdown}");
}

#[test]
fn what_is_no_report_is_no_baseline() {
    assert!(json::read_scores("{}").unwrap_err().contains("name the report.json of an earlier run"));
    assert!(json::read_scores(r#"{"format":9,"variants":[]}"#).unwrap_err().contains("evaluate anew"));
}

#[test]
fn the_report_has_each_label_with_its_verdicts_and_places() {
    let labels = labels(&[r#"{"name":"Ada"}"#, r#"{"name":"Ada"}"#]);
    let first = with_evidence(answer(r#"{"name":"Ada"}"#), &[("/name", Exact, &[(0, 3)])]);
    let (fields, runs) = (fields(), [run(&labels, vec![first, failed(Code::ProviderRefused)])]);
    let report = Report::new("c", &fields, &labels, &runs);
    let written: serde_json::Value = serde_json::from_str(&json::write(&report).unwrap()).unwrap();
    let [first, second] = [0, 1].map(|index| &written["variants"][0]["labels"][index]);
    let places = serde_json::json!({ "/name": { "evidence": "exact", "source": "/body", "spans": [[0, 3]] } });
    assert_eq!((&first["id"], &first["fields"]), (&"l0".into(), &places));
    assert_eq!(first["verdicts"]["/name"]["verdict"], "right");
    assert_eq!(
        (&second["code"], &second["verdicts"]["/name"]["verdict"]),
        (&"provider_refused".into(), &"no_answer".into())
    );
    assert_eq!(written["variants"][0]["summary"]["fields_right"]["of"], 8);
    let page = html::write(&report).unwrap();
    assert!(page.contains("<b>provider_refused</b> because"), "{page}");
}

#[test]
fn variants_are_compared_with_the_first_one() {
    let labels = labels(&[r#"{"mood":"good"}"#; 8]);
    let of = |name: &str, mood: &str| {
        let outcomes = vec![answer(&format!(r#"{{"mood":"{mood}"}}"#)); 8];
        Run::new(name.to_owned(), &fields(), &labels, outcomes)
    };
    let (fields, runs) = (fields(), [of("a", "bad"), of("b", "good")]);
    let report = Report::new("c", &fields, &labels, &runs);
    let markdown = markdown::write(&report).unwrap();
    assert!(markdown.contains("- b against a: 100.0 % instead of 75.0 %"), "{markdown}");
    assert!(
        markdown.contains("### /mood of a: expected by row, given by column\n\n| | bad |\n|---|---|\n| good | 8 |"),
        "{markdown}"
    );
    let page = html::write(&report).unwrap();
    assert!(page.contains("<td class=\"wrong\">8</td>") && page.contains("<td class=\"right\">8</td>"), "{page}");
}
