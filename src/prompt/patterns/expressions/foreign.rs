//! Orders to the model in other languages than English: to set its instructions aside, or to show them.

use super::Expression;
use super::Place::Order;

const NAME: &str = "prompt-override-foreign";

/// One language's orders.
const fn orders(needs: &'static [&'static str], regex: &'static str) -> Expression {
    Expression { name: NAME, place: Order, needs, regex }
}

pub(super) const EXPRESSIONS: &[Expression] = &[
    // German
    orders(
        &[
            "ignorier",
            "vergiss",
            "vergess",
            "missacht",
            "beacht",
            "befolg",
            "gehorch",
            "anweisungen",
            "regeln",
            "vorgaben",
            "systemprompt",
            "system-prompt",
            "systemanweisung",
            "system-anweisung",
            "systemnachricht",
            "system-nachricht",
        ],
        r"
        \b(?:ignorier(?:e|en|t)?|vergiss|vergessen|missachten?)\s+
            (?:sie\s+)?(?:(?:bitte|jetzt|nun|alle[sn]?|s[äa]mtlichen?|die|deine[nr]?|ihre[nr]?)\s+){0,4}
            (?: (?:vorherigen?|bisherigen?|obigen?|vorigen?|vorangegangenen|fr(?:ü|ue)heren|vorstehenden
                |urspr(?:ü|ue)nglichen)\s+
                (?:\w+\s+)?(?:anweisung|regel|instruktion|vorgabe|befehl|richtlinie|text)\w*
            | (?:anweisungen|regeln|instruktionen|vorgaben|befehle),?\s+
                (?:oben|vorher|zuvor|(?:die|welche)\s+(?:du|dir|ihnen|zuvor|vorher|bisher|oben)\b)
            | alles?,?\s+(?:was\s+(?:oben|vorher|bisher|zuvor|davor|(?:man\s+)?dir)|obige|vorherige|bisherige)\b )
        | \bdeine\s+(?:\w+\s+)?(?:anweisungen|regeln|vorgaben)\s+(?:gelten\s+nicht|sind\s+
            (?:ung(?:ü|ue)ltig|aufgehoben))
        | \b(?:beachte|befolge)\s+(?:die|deine)\s+(?:obigen|bisherigen|vorherigen)\s+\w+\s+nicht\b
        | \b(?:befolge|gehorche)\b[^.\n]{0,40}\b(?:meinen?|mir)\b[^.\n]{0,30}\b(?:befehl|anweisung|system)
        | \b(?:zeig|nenn|verrat|gib|schreib|wiederhol)\w*\b[^.\n]{0,40}\bsystem-?(?:prompt|anweisung|nachricht)",
    ),
    // French
    orders(
        &["instruction", "consigne", "directive", "règle", "regle", "ignore", "oublie", "système", "systeme"],
        r"
        \b(?:ignor|oubli|n[ée]glig|outrepass)e[zr]?\s+
            (?:(?:toutes|les|vos|tes|ces|des)\s+){0,3}(?:instructions|consignes|directives|r[èe]gles)\s+
            (?:pr[ée]c[ée]dentes|ant[ée]rieures|ci-dessus|initiales|qui\s+pr[ée]c[èe]dent|(?:que\s+)?(?:tu|vous)\s+)
        | \b(?:ignor|oubli)e[zr]?\s+(?:toutes\s+)?(?:tes|vos)\s+
            (?:\w+\s+)?(?:instructions|consignes|directives|r[èe]gles)
        | \b(?:ignor|oubli)e[zr]?\s+tout\s+ce\s+(?:qu'on\s+(?:t|vous)|qui\s+pr[ée]c[èe]de|qui\s+est\s+
            (?:au-dessus|ci-dessus)|que\s+(?:tu\s+as|vous\s+avez)\s+(?:lu|re[çc]u|appris))
        | \b(?:ten(?:ir|ez)|tiens)\s+(?:pas|plus|aucun)\s+compte\s+de(?:s|\s+\w+(?:\s+les)?)?\s+
            (?:instructions|consignes|directives|r[èe]gles)\s+(?:pr[ée]c|ant[ée]r|ci-d)
        | \bfai(?:s|tes|re)\s+abstraction\s+de(?:s|\s+(?:toutes\s+)?(?:vos|tes|les))?\s+
            (?:instructions|consignes|directives|r[èe]gles)
        | \bne\s+(?:suis|suivez|respecte[zr]?)\s+(?:pas|plus)\s+(?:les|tes|vos)\s+
            (?:instructions|consignes|directives|r[èe]gles)\s+(?:pr[ée]c|ant[ée]r|ci-d)
        | \b(?:montre|affiche|r[ée]v[èe]le|donne|r[ée]p[èe]te)[zr]?\b[^.\n]{0,30}\b(?:prompt|message|instructions)\s+
            (?:du\s+)?syst[èe]me",
    ),
    // Spanish
    orders(
        &["instrucci", "rdenes", "reglas", "indicaci", "directri", "ignora", "ignore", "olvida", "olvide", "sistema"],
        r"
        \b(?:ignor[ae]|olvid[ae]|descart[ae]|desestim[ae]|om[ií]t[ae])n?\s+(?:(?:todas|las|tus|sus|estas)\s+){0,3}
            (?:instrucciones|[óo]rdenes|reglas|indicaciones|directrices)\s+
            (?:anteriores|previas|de\s+arriba|iniciales|del\s+sistema|que\s+(?:te|recibiste))
        | \b(?:ignor[ae]|olvid[ae]|descart[ae])\s+(?:todas\s+)?tus\s+
            (?:\w+\s+)?(?:instrucciones|[óo]rdenes|reglas|directrices)
        | \b(?:ignor[ae]|olvid[ae])\s+todo\s+lo\s+(?:que\s+(?:te|se\s+te)|anterior|de\s+arriba)
        | \bcaso\s+omiso\s+(?:de|a)\s+
            (?:(?:todas|las|tus|sus)\s+){0,2}(?:instrucciones|[óo]rdenes|reglas|indicaciones)\s+(?:anteriores|previas)
        | \bno\s+(?:sigas|siga|obedezcas|obedezca|hagas\s+caso\s+(?:a|de))\s+(?:las|tus|sus)\s+
            (?:instrucciones|[óo]rdenes|reglas)\s+(?:anteriores|previas)
        | \b(?:mu[ée]stra(?:me)?|muestre|revela|imprime|dime|escribe|repite)\b[^.\n]{0,30}\b(?:prompt|mensaje
            |instrucciones)\s+del?\s+sistema",
    ),
    // Portuguese
    orders(
        &["instruç", "instruc", "regras", "ordens", "diretri", "ignore", "esqueç", "esquec", "desconsidere", "sistema"],
        r"
        \b(?:ignor[ae]|esque[çc]a|desconsidere|descarte)m?\s+
            (?:(?:todas|as|suas|estas)\s+){0,3}(?:instru[çc][õo]es|regras|ordens|diretrizes)\s+
            (?:anteriores|pr[ée]vias|acima|iniciais|do\s+sistema)
        | \b(?:ignore|esque[çc]a|desconsidere)\s+tudo\s+o?\s*(?:que\s+(?:foi|lhe|te|est[áa])|acima|anterior)
        | \bn[ãa]o\s+(?:siga|obede[çc]a)\s+(?:as|suas)\s+(?:instru[çc][õo]es|regras|ordens)\s+
            (?:anteriores|pr[ée]vias|acima)
        | \b(?:mostre|revele|imprima|repita|diga)\b[^.\n]{0,30}\b(?:prompt|mensagem|instru[çc][õo]es)\s+d[eo]\s+
            sistema",
    ),
    // Italian
    orders(
        &["istruzion", "regole", "direttiv", "comandi", "dimentica", "ignora", "sistema"],
        r"
        \b(?:ignora(?:te)?|ignori|dimentica(?:te)?|trascura)\s+
            (?:(?:tutte|le|tue|tutti|i)\s+){0,3}(?:istruzioni|regole|direttive|comandi)\s+
            (?:precedenti|sopra|di\s+cui\s+sopra|iniziali|del\s+sistema|che\s+(?:ti|hai))
        | \b(?:ignora|dimentica)\s+(?:tutto\s+)?(?:quello|ci[òo])\s+che\s+(?:ti\s+[èe]|ti\s+hanno|precede|[èe]\s+
            (?:stato|scritto)\s+(?:detto\s+)?(?:prima|sopra))
        | \bnon\s+(?:seguire|rispettare|obbedire\s+a(?:lle)?)\s+(?:le\s+)?(?:istruzioni|regole)\s+(?:precedenti|sopra)
        | \b(?:mostra(?:mi)?|rivela|stampa|ripeti|scrivi)\b[^.\n]{0,30}\b(?:prompt|messaggio|istruzioni)\s+di\s+
            sistema",
    ),
    // Dutch
    orders(
        &["negeer", "vergeet", "systeemprompt"],
        r"
        \b(?:negeer|vergeet)\s+(?:(?:alle|alles|de|je|uw|deze)\s+){0,3}(?:vorige|eerdere|voorgaande|bovenstaande)\s+
            (?:\w+\s+)?(?:instructies|opdrachten|regels|aanwijzingen)
        | \b(?:negeer|vergeet)\s+alles\s+(?:wat\s+)?(?:hierboven|hiervoor|(?:er\s+)?(?:je|eerder)\s)
        | \b(?:negeer|vergeet)\s+je\s+(?:instructies|regels|opdracht)
            | \b(?:toon|geef|laat)\b[^.\n]{0,30}\bsysteemprompt",
    ),
    // Polish
    orders(
        &["instrukc", "polece", "zasad"],
        r"
        \b(?:zignoruj(?:cie)?|ignoruj(?:cie)?|zapomnij(?:cie)?(?:\s+o)?|pomi[ńn])\s+(?:wszystki(?:e|ch)\s+)?(?:swoje\s+
            |swoich\s+)?
            (?:poprzedni|wcze[śs]niejsz|powy[żz]sz|dotychczasow)\w*\s+(?:instrukcj|polece|zasad)",
    ),
    // Russian and Ukrainian
    orders(
        &["инструкц", "указан", "правил", "команд", "інструкц", "вказівк", "промпт"],
        r"
        (?:игнорируй|забудь|отбрось|не\s+обращай(?:те)?\s+внимания\s+на)(?:те)?\s+(?:(?:все|всё|эти|свои)\s+){0,2}
            (?: (?:предыдущ|прежн|прошл|вышеуказан)\w+\s+(?:инструкци|указани|правил|команд)
            | (?:инструкци|указани|правил|команд)\w*,?\s+(?:выше|данные|которые) )
        | (?:ігноруй|забудь)(?:те)?\s+(?:(?:усі|всі)\s+)?(?:попередн\w+)\s+(?:інструкц|вказівк|правил)
        | (?:покажи|выведи|раскрой|напиши)(?:те)?\s+(?:\w+\s+)?системн\w+\s+промпт",
    ),
    // Swedish, Danish and Norwegian
    orders(
        &["instruktion", "instruksjon", "anvisning", "regler"],
        r"
        \b(?:ignorera?|gl[öø]mm?|glem|bortse\s+fr[åa]n|se\s+bort\s+fra)\s+(?:(?:alla|alle|de|dina|dine)\s+){0,3}
            (?: (?:tidigare|tidligere|f[öo]reg[åa]ende|forrige|ovanst[åa]ende|ovenst[åa]ende)\s+
                (?:\w+\s+)?(?:instruktion|instruksjon|anvisning|regler)
            | (?:instruktion|instruksjon|anvisning)\w*\s+(?:ovan|ovenfor|ovanf[öo]r)\b )",
    ),
    // Finnish, Czech, Turkish, Indonesian and Vietnamese
    orders(
        &["ohjeet", "pokyn", "instrukce", "talimat", "instruksi", "perintah", "dẫn"],
        r"
        \b(?:unohda|ohita)\s+(?:kaikki\s+)?(?:aiemmat|edelliset|yll[äa]\s+olevat)\s+ohjeet
        | \b(?:ignoruj(?:te)?|zapome[ňn](?:te)?(?:\s+na)?)\s+
            (?:v[šs]echny\s+)?(?:p[řr]edchoz[íi]|p[řr]ede[šs]l[ée]|v[ýy][šs]e\s+uveden[ée])\s+(?:pokyny|instrukce)
        | (?:[öo]nceki|yukar[ıi]daki)\s+(?:(?:t[üu]m|b[üu]t[üu]n)\s+)?talimatlar[ıi]n?[ıi]?\s+(?:yok\s+
            say|unut|g[öo]rmezden|dikkate\s+alma)
        | \b(?:abaikan|lupakan)\s+(?:semua\s+)?(?:instruksi|perintah)\s+(?:sebelumnya|di\s+atas)
        | \b(?:bỏ\s+qua|quên|phớt\s+lờ)\s+(?:tất\s+cả\s+)?(?:các\s+|mọi\s+)?(?:hướng\s+dẫn|chỉ\s+dẫn)\s+(?:trước|ở\s+
            trên)",
    ),
    // Chinese and Japanese
    orders(
        &["指令", "指示", "提示", "规则", "命令", "システム"],
        r"
        (?:忽略|无视|忘记|忘掉|不要理会)[^。，\n]{0,12}(?:之前|以上|前面|上面|上述|先前|所有)[^。，\n]{0,12}(?:指令|指示|提示|规则)
        | (?:以前|これまで|今まで|上記|上|前)の[^。\n]{0,12}(?:指示|命令)[^。\n]{0,8}(?:無視|忘れ)
        | (?:输出|显示|告诉我|打印)[^。，\n]{0,8}系统提示 | システムプロンプトを(?:表示|教え|出力)",
    ),
    // Korean, Arabic and Hindi
    orders(
        &["지시", "명령", "التعليمات", "निर्देश"],
        r"
        (?:이전|위|앞)의?\s*(?:모든\s*)?(?:지시|명령)[^.\n]{0,8}(?:무시|잊)
        | (?:تجاهل|انس[َى]?)\s+(?:جميع\s+|كل\s+)?التعليمات\s+(?:السابقة|أعلاه)
        | (?:पिछले|पहले\s+के|उपरोक्त)\s+(?:सभी\s+)?निर्देशों\s+(?:को\s+)?(?:अनदेखा|नज़रअंदाज|भूल)",
    ),
];
