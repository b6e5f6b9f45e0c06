//! How urgent a message is, its mood, and whether a person must take over.

use super::Row;

/// From the least to the most urgent.
pub(super) const URGENCY: &[Row] = &[
    Row {
        name: "low",
        named: "low, lowest, minor, trivial, p4, p5, gering, niedrig, faible, baja",
        asks: "no rush, no hurry, not urgent, whenever you have time, whenever you get a chance, when you have a moment, just a suggestion, just curious, low priority, nice to have, keine eile, nicht dringend, eilt nicht, kein stress, pas urgent, rien d'urgent, pas pressé, sin prisa, no es urgente, no corre prisa",
        clear: "just wondering, small thing, tiny thing, minor, just wanted to say, idle question, feature request, would be nice, would be great, would be lovely, would love to see, kleinigkeit, détail, wäre schön, serait bien, estaría bien, sugerencia, großes lob",
        hints: "someday, eventually, suggestion, idea, curious",
    },
    Row {
        name: "normal",
        named: "normal, medium, moderate, standard, p3, mittel, moyen*, media, regular",
        asks: "",
        clear: "",
        hints: "",
    },
    Row {
        name: "high",
        named: "high, major, p2, hoch, dringend, eleve, haute, alta, important, urgent",
        asks: "urgent, urgently, asap, as soon as possible, need this today, by tomorrow, by tonight, right away, time-sensitive, time sensitive, high priority, before friday, before monday, dringend*, so schnell wie möglich, schnellstmöglich, bis morgen, eilig, umgehend, au plus vite, dès que possible, avant demain, lo antes posible, cuanto antes, urge, urgente*, hoy mismo",
        clear: "deadline, final warning, last chance, locked out, blocked, can't work, cannot work, losing, third time, fourth time, third email, charged twice, lawyer, legal action, birthday, wedding, frist, sofort, sofortige*, délai",
        hints: "quickly, soon, immediately, today, tomorrow, tonight, heute, mañana, hoy, demain, bald, vite, pronto",
    },
    Row {
        name: "critical",
        named: "critical, emergency, blocker, highest, severe, p0, p1, kritisch, notfall, critique, critica, very high, immediate, urgent",
        asks: "emergency, production is down, site is down, system is down, everything is down, completely down, all users, entire team, whole team is, nobody can, no one can, can't process orders, losing money, losing sales, data loss, lost all, security breach, data breach, been hacked, was hacked, smoke, caught fire, burning, sparks, electric shock, safety hazard, fire hazard, notfall, produktion steht, komplett ausgefallen, steht still, sicherheitslücke, rauch, brandgefahr, tout est bloqué, en panne totale, urgence absolue, production est arrêtée, fumée, se ha caído, todo parado, emergencia, producción está parada, humo, unauthorised, unauthorized",
        clear: "outage, critical, breach, hacked, fraud*, stolen, kritisch, betrug, gehackt, piraté*, fraude, hackead*",
        hints: "production, immediately, sofort, immédiatement, inmediatamente",
    },
];

/// Negative, neutral, positive, mixed: the two poles are weighed against each other.
pub(super) const SENTIMENT: &[Row] = &[
    Row {
        name: "negative",
        named: "negative, angry, frustrated, unhappy, dissatisfied, bad, upset, negativ, negatif, negativo",
        asks: "furious, worst, unacceptable, disgraceful, disgusted, appalling, appalled, terrible, horrible, awful, outrageous, livid, scam, rip-off, rip off, ridiculous, pathetic, a joke, never again, lawyer, lodge a complaint, formal complaint, very disappointed, really disappointed, extremely disappointed, so angry, beyond frustrated, fed up, stolen, sick of, frechheit, unverschämt*, zumutung, katastroph*, inakzeptabel, stinksauer, wütend, scandaleux, inadmissible, inacceptable, honteux, furieu*, vergüenza, vergonzoso, inaceptable, indignad*, pésimo, pésima, estafa",
        clear: "arrived broken, disappointed, disappointing, frustrated, frustrating, annoyed, annoying, angry, upset, rude, complaint, poor, useless, waste, worried, let down, unhappy, not happy, not acceptable, overcharged, ignored, nobody answers, no one answers, no reply, still no, still not, still nothing, third time, second time, damaged, smashed, hate, embarrassing, enttäusch*, verärgert, ärgerlich, beschwerde, sauer, unfreundlich, immer noch nicht, déçu*, décevant, mécontent*, fâché*, agac*, toujours pas, toujours rien, decepcion*, enfadad*, molest*, harto, harta, queja, sigue sin, todavía no, fatal",
        hints: "broken, wrong, error, crash*, problem, issue, fail*, unfortunately, never, nothing, twice, locked, missing, weeks, can't, won't, doesn't work, stopped, leider, kaputt, defekt, fehler, problem, malheureusement, cassé*, erreur, problème, desgraciadamente, roto, rota, problema",
    },
    Row { name: "neutral", named: "neutral, none", asks: "", clear: "", hints: "" },
    Row {
        name: "positive",
        named: "positive, happy, satisfied, good, pleased, delighted, positiv, positif, positivo",
        asks: "thank you so much, thanks so much, love it, loving it, absolutely love, i love, we love, amazing, fantastic, wonderful, brilliant, superb, delighted, thrilled, outstanding, made my day, well done, great job, great work, kudos, hats off, five stars, huge thank you, big thank you, großes lob, begeistert, herzlichen dank, hervorragend, weiter so, félicitations, bravo, un grand merci, ravi*, chapeau, impeccable, enhorabuena, felicidades, encantad*, maravillos*, estupend*, love your",
        clear: "great, excellent, impressed, grateful, happy with, very happy, really happy, pleased, perfect, awesome, enjoy*, beautiful, keep up, recommend, like the, toll, toller, super, zufrieden, gern, parfait*, génial, content de, contente de, perfecto, excelente, genial, me gusta, nos gusta",
        hints: "thank you for, thanks for, good, nice, helpful, gut, bon, bueno",
    },
    Row { name: "mixed", named: "mixed, ambivalent, gemischt", asks: "", clear: "", hints: "" },
];

pub(super) const HUMAN: &[Row] = &[Row {
    name: "human",
    named: "human, agent, escalat*, manual, handoff, manager, person, review, attention",
    asks: "speak to a human, talk to a human, real person, real human, actual person, actual human, speak to a manager, speak to someone, talk to someone, speak with someone, speak with a manager, talk to a manager, your manager, a supervisor, your supervisor, escalate, someone call me, call me, call me back, not a bot, not a robot, no bots, lawyer, solicitor, attorney, legal action, sue, court, small claims, ombudsman, trading standards, consumer protection, gdpr, data protection, formal complaint, chargeback, press, police, hacked, fraud*, breach, security, unauthorised, unauthorized, injur*, electric shock, caught fire, smoke, burnt, burned, anwalt, rechtsanwalt, rechtliche schritte, verbraucherzentrale, gericht, mitarbeiter sprechen, einem menschen, vorgesetzte*, rufen sie mich, rückruf, datenschutz, dsgvo, avocat, tribunal, ufc, rgpd, parler à quelqu'un, un conseiller, un responsable, un humain, rappelez-moi, abogado, demanda, denuncia, juicio, consumo, hablar con una persona, hablar con alguien, un responsable, que me llame*, llámenme",
    clear: "furious, unacceptable, disgraceful, third time, fourth time, third email, still waiting, nobody answers, no one answers, nobody replies, ignored, unverschämt*, frechheit, inacceptable, inadmissible, scandaleux, inaceptable, vergüenza, never again, emergency, production is down, data loss, refuse to pay, cancel everything",
    hints: "angry, urgent, urgently, asap, immediately, worst, terrible, dringend, urgente*, sofort",
}];
