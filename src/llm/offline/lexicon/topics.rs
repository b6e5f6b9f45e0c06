//! What messages are about, and what kinds of document there are.

use super::Row;

/// What messages are about.
pub(super) const MESSAGES: &[Row] = &[
    Row {
        name: "refund",
        named: "refund*, reimburse*, money back, return*, chargeback",
        asks: "to send back, take it back, would like that back, want all of it back, send me my money, want a refund, want my money back, request a refund, requesting a refund, please refund, full refund, get a refund, need a refund, like a refund, give me my money back, refund me, refund my, return it, return them, send it back, like to return, want to return, want to send, mochte zuruckgeben, geld zuruck, mochte mein geld, bitte erstatten, ruckerstattung*, erstattung*, être remboursé*, veux un remboursement, demande de remboursement, demande le remboursement, rembours*, reembolso, devolución, devolver, devuelvan, devolvedme, quiero que me devuelvan",
        clear: "refund*, money back, reimburse*, chargeback, erstatte*, zuruckerstatte*, rucksendung, zurucksenden, zuruckschicken, retoure, retourner, renvoyer, reembols*",
        hints: "return label, returned, return, returning, exchange, umtausch*, widerruf*, échang*, cambio, credited, gutschrift, avoir",
    },
    Row {
        name: "cancellation",
        named: "cancel*, terminat*, unsubscribe*, churn, kundigung, resiliation",
        asks: "stop my, autorenew, auto renew, auto-renew, aus dem verteiler, end of contract, please cancel, want to cancel, like to cancel, need to cancel, cancel my, cancel the, cancel our, cancel it, cancel order, cancel this, close my account, close our account, delete my account, end my subscription, stop my subscription, not renew, won't be renewing, don't renew, opt out, unsubscribe, kündige*, kündigung*, stornier*, storno, résilier, résiliation, annuler, annulation, cancelar, cancelación, anular, dar de baja, darme de baja",
        clear: "cancel*, terminate*, stop the renewal, stop charging, abbestell*, mein konto loschen, konto schliessen, vertrag beenden, désabonn*, baja",
        hints: "subscription, renewal, abo, abonnement, suscripción",
    },
    Row {
        name: "billing_question",
        named: "billing, invoice question, payment*, charge*, pricing, facturation, abrechnung",
        asks: "left my account, wrong bill, wrong amount, price match, versandkosten, promo code, gift card, student discount, gutschein, charged twice, double charged, charged me twice, billed twice, billed me twice, why was i charged, why have i been charged, question about my invoice, question about my bill, question about the invoice, copy of the invoice, copy of my invoice, send me an invoice, need an invoice, need the invoice, vat invoice, vat number on, frage zur rechnung, frage zu meiner rechnung, rechnung korrigieren, doppelt abgebucht, zweimal abgebucht, doppelt berechnet, prélevé deux fois, débité deux fois, facturé deux fois, question sur ma facture, cobrado dos veces, cobraron dos veces, cobro doble, duda sobre la factura, duda con la factura",
        clear: "invoice*, billing, billed, overcharged, charged, my bill, the bill, card statement, bank statement, payment method, update my card, credit card on file, payment failed, card was declined, card declined, direct debit, purchase order number, pro rata, prorated, vat, tax id, rechnung*, abbuchung*, abgebucht, mahnung, lastschrift, umsatzsteuer*, facture*, facturation, prélèvement*, prélevé*, débité*, factura*, cobro*, cobrado, cobraron, cargo, iva, pago",
        hints: "charge, charges, payment*, paid, price, fee, card, receipt, quote, discount, plan, tarif, zahlung*, bezahlt, paiement, payé, tarjeta, precio, statement",
    },
    Row {
        name: "technical_issue",
        named: "technical*, bug*, crash*, error*, defect*, incident, outage, malfunction, broken",
        asks: "doesn't work, does not work, not working, stopped working, won't work, isn't working, keeps crashing, error message, error code, won't turn on, won't start, won't connect, won't load, won't charge, won't sync, doesn't sync, not syncing, isn't syncing, stopped syncing, fails with, funktioniert nicht, geht nicht mehr, fehlermeldung, stürzt ab, lässt sich nicht, startet nicht, ne fonctionne pas, ne fonctionne plus, ne marche pas, ne marche plus, message d'erreur, ne s'allume, no funciona, deja de funcionar, dejó de funcionar, mensaje de error, no arranca, no enciende, se cuelga, se cierra",
        clear: "smoke, smoking, smell of burning, blink*, blinks red, no picture, no hot water, no sound, silent, squeaks, serial number, 429, rate limit, mangles, drifts, latency, stehen geblieben, nicht mehr erkannt, bleibt bei, weisse seite, verliert die verbindung, went black, does nothing, broke on, battery, crash*, bug, bugs, error, errors, broken, freezes, frozen, freezing, glitch*, outage, timeout, timeouts, timing out, times out, defective, faulty, malfunction*, blank screen, white screen, black screen, firmware, stuck at, stuck on, flicker*, disconnect*, drops out, downtime, returns 500, http 500, 500s, 502, 503, 504, stack trace, overheats, rattles, leaks, leaking, fehler, defekt*, kaputt, absturz, abgestürzt, störung, panne, plante, plantage, bogue, erreur, cassé, défectueux, fallo, falla, averiado, defectuoso, roto, pantalla en blanco, se bloquea",
        hints: "app, update, sync*, webhook*, api, browser, install*, slow, loading, reboot*, restart*, reset it, dashboard, latency, printer, wifi, wi-fi, bluetooth, battery, screen, button, pairing, version, server, export, aktualisierung, mise à jour, actualización, actualizar, écran, bildschirm, exporting, upload*",
    },
    Row {
        name: "account_access",
        named: "account, login*, log in, access, password*, authentication, sign in, credential*, anmeldung, konto",
        asks: "log out of, kundenportal, kein zugang, logged out, can't log in, cannot log in, can't login, cannot login, unable to log in, can't sign in, cannot sign in, unable to sign in, locked out, forgot my password, forgot password, reset my password, password reset, reset password, reset link, account is locked, account locked, account was locked, account has been locked, lost access, regain access, can't access my account, cannot access my account, can't get into, kann mich nicht anmelden, kann mich nicht einloggen, nicht mehr einloggen, passwort vergessen, passwort zurücksetzen, konto gesperrt, konto ist gesperrt, mot de passe, me connecter, accéder à mon compte, compte bloqué, compte est bloqué, iniciar sesión, acceder a mi cuenta, entrar en mi cuenta, cuenta bloqueada, olvidé mi contraseña, restablecer la contraseña, account was hacked, account has been hacked, been hacked, someone logged",
        clear: "log in, logging in, login, sign in, signing in, signed out, log me in, password*, 2fa, two factor, verification code, one-time code, authenticator, sso, hacked, passwort*, kennwort, einloggen, anmelden, zugang, identifiant*, connexion, contraseña*, usuario",
        hints: "account, access, locked, username, konto, compte, cuenta, email address, admin, credentials, gesperrt",
    },
    Row {
        name: "delivery_problem",
        named: "deliver*, shipping, shipment, logistic*, parcel, lieferung, livraison, entrega",
        asks: "do you intend to send, ships within, box empty, where my, when can you send, has not arrived, hasn't arrived, have not arrived, haven't arrived, not arrived, never arrived, still hasn't come, didn't arrive, not received my order, not received my package, never received, haven't received, have not received, hasn't been delivered, not been delivered, never delivered, not delivered, where is my order, where is my package, where is my parcel, where's my order, where's my parcel, where's my package, where is our order, lost in transit, lost parcel, wrong item, wrong address, wrong size, wrong colour, wrong color, arrived damaged, arrived broken, arrived smashed, arrived cracked, arrived with, missing from, missing item, parts missing, damaged in transit, marked as delivered, says delivered, shows delivered, nicht angekommen, nicht geliefert, noch nicht erhalten, nicht erhalten, nie angekommen, wo bleibt, wo ist mein, falsche* artikel, falsch geliefert, beschädigt angekommen, pas reçu, jamais reçu, pas arrivé*, jamais arrivé*, pas été livré*, où est ma commande, où est mon colis, colis perdu, arrivé cassé*, arrivée cassée, arrivé endommagé, no ha llegado, no me ha llegado, no llegó, no he recibido, nunca llegó, dónde está mi pedido, llegó roto, ha llegado roto, ha llegado rota, llegó dañado, paquete perdido",
        clear: "deliver*, courier, parcel*, tracking, shipment*, shipping, in transit, dispatched, shipped, customs, lieferung*, lieferstatus, liefertermin, paket*, sendung*, zustell*, versand*, livraison*, livreur, livré*, colis, expédi*, entrega*, envío*, paquete*, repartidor, transportista, mensajero",
        hints: "arrive*, package, order, bestellung, commande, pedido, delayed, late, box, missing, damaged, dhl, ups, fedex, hermes, verspätung, retard, retraso, driver, doorstep, warehouse, neighbour",
    },
    Row {
        name: "feature_request",
        named: "feature*, enhancement, suggestion*, idea*, improvement, wish",
        asks: "whens the, please keep it, when is the * coming, font bigger, the font, please don't change, tiny thing, feature request, would be great if, would be nice if, would be lovely if, would be helpful if, would be useful if, would love to see, would love it if, please add, could you add, can you add, any plans to, any chance of, on the roadmap, roadmap, i suggest, we suggest, suggestion, it would help if, would be amazing, would really help if, wish i could, wish there was, wish it had, feature wish, funktionswunsch, wäre toll wenn, wäre schön wenn, wäre super wenn, verbesserungsvorschlag, könnten sie * einbauen, il serait utile, serait génial, serait bien, serait possible d'ajouter, pourriez-vous ajouter, suggestion d'amélioration, sería genial, sería útil, estaría bien, me gustaría que, podrían añadir, podríais añadir, sugerencia",
        clear: "feature*, dark mode, idea, please consider, support for, would be great, would be nice, planning to support, funktion, vorschlag, anregung, fonctionnalité*, función, funcionalidad, añadir, ajouter, wünsche mir, vote for",
        hints: "add, option to, ability to, integration, integrate, wish, improve*, allow us, allow me, einbauen, shortcut, keyboard",
    },
    Row {
        name: "complaint",
        named: "complain*, dissatisf*, grievance, beschwerde, reclamation, queja",
        asks: "formal complaint, make a complaint, want to complain, complaint about, file a complaint, lodge a complaint, worst customer service, worst service, worst experience, terrible service, awful service, appalling service, poor service, rude, disrespectful, hung up on me, beschwerde*, beschweren, unverschämt*, réclamation, me plaindre, inadmissible, quejarme, queja formal, presentar una queja, poner una queja, hoja de reclamaciones, trato recibido, muy mala atención",
        clear: "useless, worst, scam, hospital, complaint*, complain, unacceptable, appalling, appalled, disgraceful, ridiculous, disgusted, disgusting, shocking, pathetic, a joke, incompeten*, ignored, nobody answers, no one answers, nobody replies, misleading, lied, unprofessional, unfreundlich, frechheit, inakzeptabel, zumutung, inacceptable, scandaleux, honteux, déplorable, mal poli, queja, inaceptable, vergüenza, vergonzoso, maleducado, fatal",
        hints: "disappoint*, angry, furious, frustrat*, fed up, waste of time, on hold, ombudsman, trading standards, enttäusch*, verärgert, déçu*, fâché, decepcion*, enfadad*, let down",
    },
    Row {
        name: "praise",
        named: "praise, thank*, compliment*, gratitude, appreciation, positive feedback, lob",
        asks: "tears to my eyes, thank you for caring, compliments to, more of this, just wanted to say thank, just wanted to say thanks, want to say thank, wanted to thank, want to thank, big thank you, huge thank you, thank you so much, thanks so much, great job, great work, well done, amazing service, excellent service, fantastic service, brilliant service, keep it up, keep up the, hats off, kudos, shout out, shoutout, made my day, love this product, love your, absolutely love, can't recommend, would recommend, großes lob, ein lob, herzlichen dank, vielen dank für die, vielen dank an, danke an, weiter so, bravo, félicitations, un grand merci, merci beaucoup pour, merci à, chapeau, enhorabuena, felicitaciones, felicidades, muchas gracias por la, quería agradecer, gracias al",
        clear: "thx so much, thank you so much, thanks so much, you guys are great, love it, loving it, fantastic, wonderful, brilliant, superb, delighted, thrilled, impressed, grateful, five stars, 5 stars, exceeded, outstanding, a pleasure, begeistert, hervorragend, toller service, super service, zufrieden, excellent, ravi*, parfait*, impeccable, encantad*, excelente, maravillos*, perfecto, estupend*",
        hints: "great, amazing, happy, perfect, awesome, love, thank you, toll, danke, merci, gracias, genial",
    },
    Row {
        name: "general_question",
        named: "general, inquiry, enquiry, information, anfrage",
        asks: "i have a question, quick question, i was wondering, do you offer, do you have, do you sell, could you tell me, can you tell me, what are your, is it possible to",
        clear: "wondering, question, frage, question, pregunta, opening hours, information",
        hints: "how, when, which, what",
    },
    Row {
        name: "sales",
        named: "sales*, quote, purchase*, buy*, pre-sales, vertrieb, demo",
        asks: "request a quote, like a quote, interested in buying, want to buy, volume discount, book a demo, schedule a demo, angebot anfordern, demande de devis, presupuesto, talk to sales, bulk order",
        clear: "quote, quotation, demo, pricing, angebot, devis, licences, licenses, seats",
        hints: "price, buy, purchase, discount",
    },
    Row {
        name: "spam",
        named: "spam, phishing, advert*, solicitation",
        asks: "seo services, guest post, lottery, you have won, click here, limited offer, crypto investment, increase your traffic, backlinks",
        clear: "backlink*, viagra, casino, winner, rank your website",
        hints: "marketing, promotion",
    },
];

/// Kinds of document.
pub(super) const DOCUMENTS: &[Row] = &[
    Row {
        name: "invoice",
        named: "invoice, bill, rechnung, facture, factura",
        asks: "invoice number, invoice no, invoice date, rechnungsnummer, rechnungsdatum, numéro de facture, número de factura, amount due, total due, invoice to, bill to",
        clear: "invoice, rechnung, facture, factura, due date, payment terms, zahlbar",
        hints: "vat, total, subtotal, net, tax, mwst, tva, iva",
    },
    Row {
        name: "receipt",
        named: "receipt, quittung, recu, recibo, kassenbon",
        asks: "thank you for your purchase, receipt number, cash receipt, kassenbon, quittung, ticket de caisse, change due",
        clear: "receipt, till, cashier, paid by, kasse, reçu, recibo",
        hints: "total, card, cash, change, visa",
    },
    Row {
        name: "contract",
        named: "contract, agreement, vertrag, contrat, contrato, legal",
        asks: "this agreement, the parties, hereinafter, governing law, in witness whereof, this contract, dieser vertrag, die parteien, le présent contrat, les parties, el presente contrato, las partes",
        clear: "agreement, party, clause, termination, liability, shall, vertrag, haftung, contrat, contrato",
        hints: "term, effective date, obligations, confidential*",
    },
    Row {
        name: "report",
        named: "report, bericht, rapport, informe, analysis",
        asks: "executive summary, this report, quarterly report, annual report, findings, dieser bericht, ce rapport, este informe",
        clear: "report, quarter, key figures, conclusion*, results, methodology, bericht, rapport, informe",
        hints: "increase*, revenue, trend, figure, analysis, period",
    },
    Row {
        name: "letter",
        named: "letter, brief, lettre, carta, correspondence, email, mail",
        asks: "dear sir, dear madam, to whom it may concern, yours faithfully, yours sincerely, sehr geehrte*, mit freundlichen grüßen, madame monsieur, veuillez agréer, estimado*, atentamente",
        clear: "dear, sincerely, regards, hochachtungsvoll, cordialement, saludos",
        hints: "writing to, letter",
    },
    Row {
        name: "resume",
        named: "resume, cv, curriculum, lebenslauf, application",
        asks: "curriculum vitae, work experience, professional experience, berufserfahrung, lebenslauf, expérience professionnelle, experiencia laboral",
        clear: "education, skills, ausbildung, kenntnisse, formation, compétences, formación, bachelor, master",
        hints: "experience, university, employer, references, languages",
    },
];
