//! Function words of the languages that most messages are written in.

use std::collections::HashMap;
use std::sync::LazyLock;

use foldhash::fast::RandomState;

/// What a word counts that no other listed language has; one that several have counts its part of it.
const UNIQUE: u32 = 12;

/// What is enough to tell: one word that only this language has, and another that few have.
const ENOUGH: u32 = UNIQUE * 3 / 2;

/// Words that two languages share are no evidence between these two; the weights are thus rounded down.
const LANGUAGES: &[(&str, &str)] = &[
    (
        "en",
        "the and is are was were been have has had do does did not don t ve ll re my your his her our their you he she it we they i to of for with from at by on in that this these those which what when where why how who there here can could would should will won be but or if so because please very still just only any some about after before than then too also again yet an a no never me him them us got get its into out over up as am since while more nobody someone anyone everyone last first next two three one want need wants go see know send sent help thank thanks today tomorrow yesterday week month day days time order ordered received arrived twice now well good way make made new like lot",
    ),
    (
        "de",
        "der die das den dem des ein eine einen einem einer und oder aber ist sind war waren wird werden wurde habe hat haben hatte nicht kein keine keinen mein meine meinen meiner ihr ihre ihren sein seine unser unsere ich du er sie es wir mich mir dich dir uns euch zu zum zur von vom mit für fuer auf aus bei nach über ueber unter vor seit bis durch gegen ohne um wenn weil dass ob wie was wo wer wann warum noch schon nur auch sehr bitte kann können koennen muss möchte moechte soll sollte dieser diese dieses im ins am an als so hier dort immer wieder mehr sich doch da gibt leider heute gestern morgen danke niemand jemand letzte letzten letzter erste zwei drei will brauche wurden tag woche monat zeit bestellung bestellt erhalten angekommen zweimal jetzt gut neu neue neuen endlich kommt kommen machen geht sobald damit dann also ganze ganz ganzen alle vielen vielleicht",
    ),
    (
        "fr",
        "le la les un une des du de et ou mais est sont était été être ai as a avons avez ont avait ne n pas plus je j tu il elle nous vous ils elles on me m te se s mon ma mes ton votre vos notre nos leur son sa ses ce c cet cette ces que qu qui quoi dont où quand comment pourquoi pour par avec sans sous sur dans en chez vers depuis pendant avant après apres très tres aussi encore déjà deja toujours jamais bien peut peux pouvez pourriez voudrais dois doit fait faire si au aux y d l merci bonjour car rien tout tous toute hier lors personne dernier derniers dernière dernières deux trois veux besoin semaine mois jour fois commande commandé reçu arrivé maintenant nouveau nouvelle dès suis sommes ci cela ça afin donc souhaite beaucoup possible cassée",
    ),
    (
        "es",
        "el la los las un una unos unas de del y e o u pero es son era fue está esta están estan estoy ha he han hemos había no ni yo tú él ella nosotros ustedes usted me te se nos les le lo mi mis tu tus su sus nuestro nuestra que qué quién quien cuál cual cuándo cuando cómo como dónde donde por para con sin sobre en entre desde hasta hacia muy más mas también tambien todavía todavia ya aún aun siempre nunca puedo puede pueden quiero quisiera tengo tiene hay ser al este esto ese eso porque si gracias hola ayer hoy mañana todo nada cada sólo solo nadie alguien último últimos última últimas dos tres quiere necesito necesitamos semana mes día vez veces pedido recibido llegado ahora nuevo nueva algo bien hace mismo tan respuesta mientras podrían muchas muchos quedó",
    ),
    (
        "it",
        "il lo la i gli le un uno una di del dello della dei degli delle da dal dalla nel nella nei al allo alla ai alle sul sulla e ed o ma è e' sono era erano ho hai ha abbiamo avete hanno non né io tu lui lei noi voi loro mi ti si ci vi mio mia miei tuo vostro vostra suo sua nostro nostra che chi cui cosa quando come dove perché perche per con senza su in tra fra molto più piu anche ancora già gia sempre mai posso può puo potete vorrei devo deve questo questa quello quella se ieri oggi domani grazie ciao buongiorno tutto niente solo stato stata c l dell nell all sull nessuno qualcuno ultimo ultimi ultima ultime due tre voglio bisogno settimana mese giorno volta volte ordine ricevuto arrivato adesso nuovo nuova bene fa mille essere quanto",
    ),
    (
        "pt",
        "o a os as um uma uns umas de do da dos das no na nos nas ao à aos pelo pela e ou mas é são sao era foi está esta estão estou tem têm tenho tinha há não nao nem eu tu ele ela nós eles elas você voce vocês me te se lhe meu minha meus minhas teu seu sua seus suas nosso nossa que quem qual quando como onde porque porquê por para com sem sobre em entre desde até ate muito mais também tambem ainda já ja sempre nunca posso pode podem quero queria gostaria ser isto isso este esse essa obrigado obrigada olá ontem hoje amanhã tudo nada só num numa depois antes ninguém ninguem alguém último últimos última últimas duas dois três quer preciso precisamos semana mês dia vez vezes encomenda pedido recebi recebido chegou agora novo nova bem fui foram fiz tão às lá aqui bom muita comprei",
    ),
    (
        "nl",
        "de het een en of maar is zijn was waren wordt worden werd heb hebt heeft hebben had niet geen ik jij je u hij zij ze wij we jullie mij me mijn jouw uw haar hun ons onze dat die dit deze wat wie waar wanneer waarom hoe om te van voor met zonder op aan in uit bij naar over onder door tot na sinds als omdat ook nog al altijd nooit weer zeer heel graag kan kunnen kunt kon moet moeten wil wilde zou er hier daar dan toch alleen meer bedankt hallo gisteren vandaag morgen alles niets zo ben mag niemand iemand laatste eerste twee drie week maand dag tijd keer bestelling besteld ontvangen aangekomen nu goed nieuw nieuwe eindelijk komt komen zodra hartelijk dank snel snelle hem hen steeds toen terug",
    ),
    (
        "pl",
        "i w z ze na do od po za o u przez dla bez nad pod przed przy jest są był była było były być mam ma mamy mieć nie tak ja ty on ona my wy oni mnie mi ci się sie mój moja moje mojego mojej twój pan pani państwo jego jej ich nasz to ten ta te tego tej tym co kto gdzie kiedy dlaczego jak że żeby czy ale lub albo oraz bo więc jeszcze już bardzo tylko też także zawsze nigdy może mogę można chcę chciałbym chciałabym proszę prosze dziękuję dlatego ponieważ gdy jeśli który która które wczoraj dzisiaj jutro nikt ktoś ostatni ostatnie ostatnich pierwszy dwa trzy razy raz tydzień tygodnia miesiąc miesiącu dzień czas zamówienie teraz dobrze nowy nowa potrzebuję nadal dotarła dotarł przyszła został została",
    ),
    (
        "sv",
        "och att det den en ett är var varit har hade inte jag du han hon vi ni de dem mig dig sig min mitt mina din ditt er ert vår vårt deras hans hennes som vad vem när varför hur på av för med utan till från i om under över efter innan sedan men eller så också även bara mycket mer aldrig alltid redan ännu igen kan kunde ska skulle vill måste får finns här där detta denna dessa blir blev tack hej igår idag imorgon gärna eftersom då nu någon något några allt inget ingen sista senaste första två tre behöver vecka veckan månad dag tid gång gånger beställning beställt fått kommit bra ny nya fortfarande snabba går",
    ),
    (
        "da",
        "og at det den en et er var været har havde ikke jeg du han hun vi i de dem mig dig sig min mit mine din dit jeres vores deres hans hendes som hvad hvem hvor hvornår hvorfor hvordan på af for med uden til fra om under over efter før siden men eller så også kun meget mere aldrig altid allerede endnu igen kan kunne skal skulle vil ville må får findes her der dette denne disse bliver blev tak hej igår dag morgen gerne fordi da nu nogen noget nogle alt intet ingen sidste seneste første to tre behøver uge ugen måned tid gang gange bestilling bestilt modtaget kommet godt ny nye stadig mange hurtige penge jer",
    ),
    (
        "nb",
        "og å at det den en et er var vært har hadde ikke jeg du han hun vi dere de dem meg deg seg min mitt mine din ditt deres vår vårt hans hennes som hva hvem hvor når hvorfor hvordan på av for med uten til fra om under over etter før siden men eller så også bare mye mer aldri alltid allerede ennå igjen kan kunne skal skulle vil ville må får finnes her der dette denne disse blir ble takk hei går dag morgen gjerne fordi da nå noen noe alt ingenting ingen siste seneste første to tre trenger uke uken måned tid gang ganger bestilling bestilt mottatt kommet bra ny nye fortsatt fremdeles mange raske penger",
    ),
    (
        "fi",
        "ja on ei olen olet olemme olivat oli ollut en et emme eivät minä sinä hän me te he minun sinun teidän meidän minulle mutta tai että joka jotka mikä mitä missä milloin miksi miten kuinka kun jos niin myös vielä jo vain hyvin aina koskaan nyt tämä tämän tuo se sen siitä ole ovat olla voi voin voitte haluan haluaisin pitää kanssa ilman ennen jälkeen sitten kiitos hei eilen tänään huomenna koska kuin mukaan asti yhtään",
    ),
    (
        "cs",
        "a i v ve na do od z ze s se si k ke o u po za při pro bez nad pod před jsem jste je jsou byl byla bylo být mám má máme ne není já ty on ona my vy oni mě mi mně vám vás můj moje mou mého mé váš vaše to ten ta te toto co kdo kde kdy proč jak že aby ale nebo protože když ještě už velmi jen také vždy nikdy může mohu můžete chci chtěl chtěla bych prosím děkuji který která které včera dnes zítra jestli nic všechno tam tady nikdo někdo dva tři poslední objednávka objednávku dvakrát stále dosud měsíc týden",
    ),
    (
        "sk",
        "a i v vo na do od z zo s so sa k ku o u po za pri pre bez nad pod pred som ste je sú bol bola bolo byť mám má máme nie ešte už veľmi len tiež vždy nikdy môže môžem môžete chcem chcel by prosím ďakujem ktorý ktorá ktoré včera dnes zajtra či nič všetko tam tu môj moja moje váš čo kto kde kedy prečo ako že aby ale alebo pretože keď ma mi vám",
    ),
    (
        "hr",
        "i u na je su se da ne za od do iz sa s ali ili što kako kada kad gdje zašto tko nisam nije nema ima imam sam si smo ste moj moja moje vaš vaša mi vi oni ona on to ovo taj koji koja koje samo još već vrlo uvijek nikad mogu možete želim hvala molim jučer danas sutra ako jer bez prije poslije nakon bi bio bila nitko",
    ),
    (
        "ro",
        "și si sau dar este sunt era erau am ai are avem aveți au fost nu eu tu el ea noi voi ei ele mă ma îmi imi te se ne vă va meu mea mei mele dumneavoastră lui lor un o unei unui al ale a cu fără fara de la din pe în in spre după pentru prin până că ca ce cine când cand unde cum care foarte mai deja încă inca doar mereu niciodată pot poate puteți vreau aș trebuie acest această asta acum ieri azi mâine mulțumesc bună nimic tot",
    ),
    (
        "hu",
        "a az egy és es vagy de hogy nem van volt vannak lesz lenne én te ő mi ti ők nekem neked engem ez ezt azt ami aki mit hol mikor miért hogyan ha mert is csak már még nagyon mindig soha kell lehet tud tudok szeretném kérem köszönöm meg el ki be le fel után előtt nélkül szerint között óta tegnap ma holnap sem semmi minden kétszer egyszer ezért senki valaki vontak kérek szeretnék első utolsó két három",
    ),
    (
        "tr",
        "ve bir bu şu o ben sen biz siz onlar benim sizin bana size için icin ile değil degil var yok mi mı mu mü ne nasıl neden nerede kim zaman çok cok daha hala henüz sadece ama fakat veya çünkü eğer gibi kadar sonra önce olarak oldu olan ki da de hiç her lütfen teşekkürler dün bugün yarın istiyorum",
    ),
    (
        "id",
        "yang dan di ke dari untuk dengan tidak ini itu saya kami kita anda dia mereka adalah akan sudah belum bisa dapat ada pada juga atau tetapi karena jika kalau sangat lebih hanya masih lagi apa siapa kapan bagaimana mengapa tolong mohon terima kasih kemarin sejak setelah sebelum",
    ),
    (
        "ca",
        "el la els les un una uns de del dels i o però es és són era ha he han hem no jo tu ell ella nosaltres vosaltres em et ens us li meu meva seu seva nostre que què qui quan com on per amb sense sobre en entre des fins molt més també encara ja sempre mai puc pot vull voldria tinc té hi aquest aquesta això perquè si gràcies hola ahir avui demà tot res només al l d",
    ),
    (
        "ar",
        "في من على إلى لم لن لا ما هذا هذه التي الذي حتى الآن عن مع كان قد هل أن إن أنا لي هو هي كل بعد قبل لقد يمكنكم يرجى شكرا متى كيف",
    ),
    ("fa", "از به در که این آن را با برای است من نمی می شد هنوز لطفا چرا چه هم یک ما شما کنید کرد شده نیست تا بود"),
    (
        "ru",
        "и в во на с со не что я ты он она мы вы они мне меня вам вас мой моя моё мои ваш это этот эта эти как где когда почему кто но или если чтобы потому уже ещё еще очень только также всегда никогда можно могу можете хочу был была было были есть нет для от до по из за у к о об без при пожалуйста спасибо вчера сегодня завтра же бы который так",
    ),
    (
        "uk",
        "і й в у на з зі із не що я ти він вона ми ви вони мені мене вам вас мій моя моє мої ваш це цей ця ці як де коли чому хто але або якщо щоб тому вже ще дуже тільки також завжди ніколи можна можу можете хочу був була було були є немає для від до по за про без при будь ласка дякую вчора сьогодні завтра який та",
    ),
    (
        "bg",
        "и в във на с със не че аз ти той тя ние вие те ми ме ви мой моя моята моите ваш това този тази тези как къде кога защо кой но или ако за да вече още много само също винаги никога мога може можете искам бях беше бяха е са съм сме няма има от до по из при без моля благодаря вчера днес утре ли се си който",
    ),
];

/// Letters that few languages have, with those that do.
const LETTERS: &[(char, &[&str])] = &[
    ('ß', &["de"]),
    ('ñ', &["es"]),
    ('¿', &["es"]),
    ('¡', &["es"]),
    ('ã', &["pt"]),
    ('õ', &["pt"]),
    ('ł', &["pl"]),
    ('ą', &["pl"]),
    ('ę', &["pl"]),
    ('ś', &["pl"]),
    ('ż', &["pl"]),
    ('ø', &["da", "nb"]),
    ('æ', &["da", "nb"]),
    ('å', &["sv", "da", "nb"]),
    ('ö', &["de", "sv", "fi", "hu", "tr"]),
    ('ä', &["de", "sv", "fi"]),
    ('ř', &["cs"]),
    ('ě', &["cs"]),
    ('ů', &["cs"]),
    ('ő', &["hu"]),
    ('ű', &["hu"]),
    ('ğ', &["tr"]),
    ('ı', &["tr"]),
    ('ș', &["ro"]),
    ('ț', &["ro"]),
    ('ă', &["ro"]),
    ('ê', &["fr", "pt"]),
    ('œ', &["fr"]),
    ('ù', &["fr", "it"]),
    ('ò', &["it", "ca"]),
    ('ì', &["it"]),
    ('і', &["uk"]),
    ('ї', &["uk"]),
    ('є', &["uk"]),
    ('ы', &["ru"]),
    ('э', &["ru"]),
    ('ё', &["ru"]),
    ('ъ', &["bg", "ru"]),
];

const COUNT: usize = LANGUAGES.len();

/// What a word or letter counts, and for which languages: one bit each.
#[derive(Debug, Clone, Copy, Default)]
struct Evidence {
    languages: u32,
    weight: u32,
}

impl Evidence {
    fn of(languages: u32) -> Self {
        Self { languages, weight: UNIQUE / languages.count_ones().max(1) }
    }
}

static WORDS: LazyLock<HashMap<&'static str, Evidence, RandomState>> = LazyLock::new(|| {
    let mut words: HashMap<&'static str, Evidence, RandomState> = HashMap::default();
    for (index, (_, list)) in LANGUAGES.iter().enumerate() {
        for word in list.split(' ') {
            words.entry(word).or_default().languages |= 1 << index;
        }
    }
    words.values_mut().for_each(|evidence| *evidence = Evidence::of(evidence.languages));
    words
});

static SPECIAL: LazyLock<Vec<(char, Evidence)>> = LazyLock::new(|| {
    let bit = |code: &&str| LANGUAGES.iter().position(|(known, _)| known == code).map_or(0, |index| 1 << index);
    LETTERS.iter().map(|(letter, codes)| (*letter, Evidence::of(codes.iter().map(bit).sum()))).collect()
});

/// What speaks for each language.
#[derive(Debug)]
pub(super) struct Scores {
    scores: [u32; COUNT],
    /// Words that speak for any.
    found: u32,
}

impl Scores {
    pub(super) fn of(text: &str) -> Self {
        let mut scores = Self { scores: [0; COUNT], found: 0 };
        let mut word = String::with_capacity(24);
        // Each letter counts once, each word twice: what is repeated proves no more.
        let mut letters_seen = 0_u64;
        let mut seen: Vec<(&'static str, u8)> = Vec::with_capacity(32);
        for c in text.chars().chain(std::iter::once(' ')) {
            if c.is_ascii_alphabetic() {
                word.push(c.to_ascii_lowercase());
            } else if c.is_alphabetic() {
                word.extend(c.to_lowercase());
            } else if !word.is_empty() {
                scores.word(&word, &mut seen);
                word.clear();
            }
            if !c.is_ascii() {
                let c = c.to_lowercase().next().unwrap_or(c);
                if let Some(at) = SPECIAL.iter().position(|(letter, _)| *letter == c)
                    && letters_seen & (1 << at) == 0
                {
                    letters_seen |= 1 << at;
                    scores.add(SPECIAL.get(at).map(|(_, evidence)| *evidence).unwrap_or_default());
                }
            }
        }
        scores
    }

    fn word(&mut self, word: &str, seen: &mut Vec<(&'static str, u8)>) {
        let Some((word, evidence)) = WORDS.get_key_value(word) else { return };
        match seen.iter_mut().find(|(known, _)| known == word) {
            Some((_, times)) if *times >= 2 => return,
            Some((_, times)) => *times += 1,
            None => seen.push((word, 1)),
        }
        self.found += 1;
        self.add(*evidence);
    }

    fn add(&mut self, evidence: Evidence) {
        let mut languages = evidence.languages;
        while languages != 0 {
            if let Some(score) = self.scores.get_mut(languages.trailing_zeros() as usize) {
                *score += evidence.weight;
            }
            languages &= languages - 1;
        }
    }

    /// The two highest scores, and the language of the first.
    fn best(&self) -> (u32, u32, &'static str) {
        let (mut first, mut second, mut code) = (0, 0, "");
        for (score, (language, _)) in self.scores.iter().zip(LANGUAGES) {
            if *score > first {
                (first, second, code) = (*score, first, language);
            } else if *score > second {
                second = *score;
            }
        }
        (first, second, code)
    }

    /// The language that has several of these words, and well more than any other has.
    pub(super) fn clear(&self, words: usize) -> Option<&'static str> {
        let (first, second, code) = self.best();
        let words = u32::try_from(words).unwrap_or(u32::MAX);
        let is_clear = first * 2 >= second * 3 || first >= second + ENOUGH;
        (first >= ENOUGH && self.found >= 2 && is_clear && first >= words.min(40)).then_some(code)
    }

    /// Whether there are enough of these words to leave the others out of account.
    pub(super) fn are_many(&self) -> bool {
        let (first, ..) = self.best();
        (first >= ENOUGH && self.found >= 2) || (first >= ENOUGH / 2 && self.found >= 3)
    }

    /// The languages that have about as many of these words as any.
    pub(super) fn candidates(&self) -> Vec<&'static str> {
        let (first, ..) = self.best();
        let is_near = |score: u32| first > 0 && score * 4 >= first * 3;
        LANGUAGES.iter().zip(self.scores).filter(|(_, score)| is_near(*score)).map(|((code, _), _)| *code).collect()
    }

    /// The language of a few words: the one that most speaks for, if nothing speaks for another as much.
    pub(super) fn guess(&self) -> Option<&'static str> {
        let (first, second, code) = self.best();
        (first >= UNIQUE / 2 && first * 2 >= second * 3).then_some(code)
    }
}

/// Whether the words of this language are listed.
pub(super) fn is_listed(code: &str) -> bool {
    LANGUAGES.iter().any(|(known, _)| *known == code)
}
