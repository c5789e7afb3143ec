r"""The commands of TeX that titles and abstracts use, as data: one table per kind, read by the other ``tex_`` modules.

Names stand without their backslash. Sources: The TeXbook, appendix F; the Comprehensive LaTeX Symbol List; Unicode
15.1 for the characters.
"""

from __future__ import annotations


def _pairs(table: str) -> dict[str, str]:
    """`table` holds names and characters in turn, split at blanks."""
    words = table.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def word_set(table: str) -> frozenset[str]:
    """The words of `table`, split at blanks."""
    return frozenset(table.split())


GREEK = _pairs("""
    alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ varkappa ϰ
    lambda λ mu μ nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi φ varphi φ
    chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
    varGamma Γ varDelta Δ varTheta Θ varLambda Λ varPi Π varSigma Σ varPhi Φ varPsi Ψ varOmega Ω digamma ϝ
""")

# A relation has a blank on either side in plain text.
RELATIONS = _pairs("""
    leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ leqslant ⩽ geqslant ⩾ leqq ≦ geqq ≧ ll ≪ gg ≫ lll ⋘ ggg ⋙ lesssim ≲ gtrsim ≳
    lessapprox ⪅ gtrapprox ⪆ lessgtr ≶ approx ≈ approxeq ≊ sim ∼ simeq ≃ cong ≅ equiv ≡ propto ∝ varpropto ∝ asymp ≍
    doteq ≐ thicksim ∼ thickapprox ≈ backsim ∽ prec ≺ succ ≻ preceq ≼ succeq ≽ preccurlyeq ≼ succcurlyeq ≽ precsim ≾
    in ∈ notin ∉ ni ∋ subset ⊂ supset ⊃ subseteq ⊆ supseteq ⊇ subsetneq ⊊ supsetneq ⊋ nsubseteq ⊈ nsupseteq ⊉
    sqsubset ⊏ sqsubseteq ⊑ sqsupseteq ⊒ models ⊨ vdash ⊢ dashv ⊣ vDash ⊨ Vdash ⊩ nvdash ⊬ perp ⊥ parallel ∥ mid ∣
    nmid ∤ nparallel ∦ coloneqq ≔ triangleq ≜ nleq ≰ ngeq ≱ nless ≮ ngtr ≯ trianglelefteq ⊴ trianglerighteq ⊵
    triangleleft ◁ triangleright ▷ vartriangleleft ⊲ vartriangleright ⊳ lhd ⊲ unlhd ⊴ rhd ⊳ unrhd ⊵ bowtie ⋈ smile ⌣
    frown ⌢ to → rightarrow → leftarrow ← gets ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ iff ⇔
    implies ⇒ impliedby ⇐ longrightarrow ⟶ longleftarrow ⟵ longleftrightarrow ⟷ Longrightarrow ⟹ Longleftarrow ⟸
    Longleftrightarrow ⟺ mapsto ↦ longmapsto ⟼ hookrightarrow ↪ hookleftarrow ↩ twoheadrightarrow ↠ rightarrowtail ↣
    rightharpoonup ⇀ rightharpoondown ⇁ leftharpoonup ↼ rightleftharpoons ⇌ leftrightharpoons ⇋ rightleftarrows ⇄
    rightrightarrows ⇉ leadsto ⇝ rightsquigarrow ⇝ curvearrowright ↷ curvearrowleft ↶ dashrightarrow ⇢ nrightarrow ↛
    multimap ⊸ xrightarrow → xleftarrow ← xhookrightarrow ↪ xmapsto ↦
""")

OPERATORS = _pairs("""
    times × div ÷ pm ± mp ∓ cdot · cdotp · ast ∗ star ⋆ circ ∘ bullet • cap ∩ cup ∪ Cap ⋒ Cup ⋓ uplus ⊎ sqcap ⊓
    sqcup ⊔ vee ∨ lor ∨ wedge ∧ land ∧ veebar ⊻ barwedge ⊼ setminus ∖ smallsetminus ∖ wr ≀ diamond ⋄ oplus ⊕
    ominus ⊖ otimes ⊗ oslash ⊘ odot ⊙ boxplus ⊞ boxtimes ⊠ boxdot ⊡ boxminus ⊟ dagger † ddagger ‡ amalg ⨿ ltimes ⋉
    rtimes ⋊ leftthreetimes ⋋ rightthreetimes ⋌ intercal ⊺ dotplus ∔ divideontimes ⋇ circledast ⊛ circledcirc ⊚
    bigtriangleup △ bigtriangledown ▽ bigcirc ◯ sum ∑ prod ∏ coprod ∐ int ∫ iint ∬ iiint ∭ oint ∮ bigcap ⋂ bigcup ⋃
    bigsqcup ⨆ bigvee ⋁ bigwedge ⋀ bigodot ⨀ bigotimes ⨂ bigoplus ⨁ biguplus ⨄
""")

# Everything else that is one sign: letters of other kinds, brackets, dots.
SIGNS = _pairs(r"""
    infty ∞ partial ∂ nabla ∇ ell ℓ hbar ℏ hslash ℏ imath ı jmath ȷ wp ℘ Re ℜ Im ℑ aleph ℵ beth ℶ gimel ℷ daleth ℸ
    emptyset ∅ varnothing ∅ forall ∀ exists ∃ nexists ∄ neg ¬ lnot ¬ top ⊤ bot ⊥ angle ∠ measuredangle ∡ triangle △
    square □ Box □ blacksquare ■ Diamond ◇ lozenge ◊ bigstar ★ diamondsuit ♢ heartsuit ♡ clubsuit ♣ spadesuit ♠
    flat ♭ natural ♮ sharp ♯ prime ′ backprime ‵ degree ° surd √ complement ∁ eth ð mho ℧ Bbbk 𝕜 therefore ∴
    because ∵ checkmark ✓ maltese ✠ uparrow ↑ downarrow ↓ updownarrow ↕ Uparrow ⇑ Downarrow ⇓ nearrow ↗ searrow ↘
    swarrow ↙ nwarrow ↖ upharpoonright ↾ restriction ↾ circlearrowleft ↺ circlearrowright ↻ vdots ⋮ ddots ⋱ cdots ⋯
    ldots … dots … dotsc … dotsb ⋯ dotsm ⋯ dotso … langle ⟨ rangle ⟩ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋ llbracket ⟦
    rrbracket ⟧ lbrace { rbrace } lbrack [ rbrack ] lvert | rvert | lVert ‖ rVert ‖ vert | Vert ‖ backslash \ colon :
    lgroup ⟮ rgroup ⟯ ulcorner ⌜ urcorner ⌝ llcorner ⌞ lrcorner ⌟ copyright © circledR ® pounds £ yen ¥ S § P ¶
    dag † ddag ‡ AA Å aa å ae æ AE Æ o ø O Ø ss ß i ı j ȷ l ł L Ł oe œ OE Œ
""")

MATH_SYMBOLS = {**GREEK, **RELATIONS, **OPERATORS, **SIGNS}

# Named functions: upright, with a blank before what they act on.
FUNCTIONS = word_set("""
    arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf injlim ker lg lim liminf limsup ln log
    max min Pr projlim sec sin sinh sup tan tanh argmax argmin mod bmod pmod varlimsup varliminf
""")

# A combining mark over (or under) what follows.
MATH_ACCENTS = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "tilde": "\u0303",
    "widetilde": "\u0303",
    "bar": "\u0304",
    "overline": "\u0304",
    "vec": "\u20d7",
    "overrightarrow": "\u20d7",
    "dot": "\u0307",
    "ddot": "\u0308",
    "dddot": "\u20db",
    "check": "\u030c",
    "widecheck": "\u030c",
    "breve": "\u0306",
    "acute": "\u0301",
    "grave": "\u0300",
    "mathring": "\u030a",
    "underline": "\u0332",
}

# Commands that set their argument in another font; the plain letter is what readers and screen readers search for.
MATH_FONTS = word_set("""
    mathbf mathcal mathfrak mathit mathnormal mathrm mathscr mathsf mathtt boldsymbol bm pmb bold boldmath frak Bbb
    mathds mathbbm mathbb cal Cal scr text textrm textsf texttt textit textbf textup textnormal mbox hbox mathop mathord
    mathbin mathrel mathopen mathclose mathpunct operatorname ensuremath mathstrut vphantom mathinner roman
""")

# The old switches: they change the font up to the end of the group.
MATH_SWITCHES = word_set("""
    rm bf it sf tt sl sc cal frak bfseries itshape rmfamily displaystyle textstyle scriptstyle scriptscriptstyle
    limits nolimits nonumber notag left right middle big Big bigg Bigg bigl bigr bigm Bigl Bigr Bigm biggl biggr Biggl
    Biggr normalsize small large Large boldmath centering hfill
""")

BLACKBOARD = {"C": "ℂ", "H": "ℍ", "N": "ℕ", "P": "ℙ", "Q": "ℚ", "R": "ℝ", "Z": "ℤ"}

# Spaces in text and mathematics.
SPACES = {
    " ": " ",
    ",": " ",
    ";": " ",
    ":": " ",
    ">": " ",
    "\n": " ",
    "!": "",
    "/": "",
    "-": "",
    "@": "",
    "quad": " ",
    "qquad": " ",
    "enspace": " ",
    "thinspace": " ",
    "space": " ",
    "negthinspace": "",
    "null": "",
    "relax": "",
    "allowbreak": "",
    "protect": "",
}

_UP = (
    "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθφχ∘′⊤*†‡∗",
    "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ°′ᵀ*†‡*",
)
_DOWN = ("0123456789+-−=()aehijklmnoprstuvxβγρφχ", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ")
SUPERSCRIPTS = dict(zip(*_UP, strict=True))
SUBSCRIPTS = dict(zip(*_DOWN, strict=True))

# Signs that are commands in running text. What is here is text even if mathematics knows the name too.
TEXT_SIGNS = {
    **_pairs(r"""
    ldots … dots … textellipsis … S § P ¶ dag † ddag ‡ copyright © textcopyright © textregistered ® texttrademark ™
    pounds £ textsterling £ texteuro € euro € textdegree ° degree ° deg ° textmu µ textless < textgreater >
    textasciitilde ~ textasciicircum ^ textbackslash \ textunderscore _ textbar | textbraceleft { textbraceright }
    textemdash — textendash – textquoteleft ‘ textquoteright ’ textquotedblleft “ textquotedblright ” lq ‘ rq ’
    guillemotleft « guillemotright » guillemetleft « guillemetright » quotedblbase „ quotesinglbase ‚ textbullet •
    textperiodcentered · textdollar $ textpercent % textohm Ω textonehalf ½ textonequarter ¼ textperthousand ‰
    textordfeminine ª textordmasculine º textexclamdown ¡ textquestiondown ¿ texttimes × textpm ± item •
    ie i.e. eg e.g. etal et_al. TeX TeX LaTeX LaTeX LaTeXe LaTeX2e BibTeX BibTeX bullet •
"""),
    "etal": "et al.",
    "{": "{",
    "}": "}",
    "%": "%",
    "&": "&",
    "#": "#",
    "_": "_",
    "$": "$",
    "|": "‖",
    "newline": "\n",
    "linebreak": "\n",
}

# Commands whose one argument is shown in a style ("" is plain), and switches that hold to the end of the group.
TEXT_STYLES = {
    **dict.fromkeys(word_set("emph textit textsl"), "em"),
    **dict.fromkeys(word_set("textbf"), "strong"),
    **dict.fromkeys(word_set("texttt verb"), "code"),
    **dict.fromkeys(
        word_set(
            "textsc textsf textrm textup textnormal textmd underline uline text mbox hbox title section subsection"
        ),
        "",
    ),
    "footnote": "()",
}
TEXT_SWITCHES = {
    **dict.fromkeys(word_set("it em sl itshape slshape"), "em"),
    **dict.fromkeys(word_set("bf bfseries"), "strong"),
    **dict.fromkeys(word_set("tt ttfamily"), "code"),
    **dict.fromkeys(
        word_set("""
    rm sf sc scshape rmfamily sffamily mdseries upshape normalfont normalsize small footnotesize scriptsize tiny
        large Large LARGE huge Huge noindent indent smallskip medskip bigskip centering center newpage maketitle hfill
        vfill protect relax null selectlanguage boldmath unboldmath xspace
"""),
        "",
    ),
}

# Macros that many authors define, in the sense that nearly all of them give them. Arguments are read by MathML only.
MATH_MACROS = {
    "widetilde": r"\tilde{#1}",
    "mbox": r"\text{#1}",
    "hbox": r"\text{#1}",
    "textnormal": r"\text{#1}",
    "textup": r"\text{#1}",
    "mathbbm": r"\mathbb{#1}",
    "mathds": r"\mathbb{#1}",
    "ensuremath": r"{#1}",
    "Cal": r"\mathcal{#1}",
    "bold": r"\mathbf{#1}",
    "roman": r"\mathrm{#1}",
    "ov": r"\overline{#1}",
    "wt": r"\tilde{#1}",
    "wh": r"\widehat{#1}",
    "mf": r"\mathfrak{#1}",
    "op": r"\operatorname{#1}",
    "mr": r"\mathrm{#1}",
    "textsuperscript": r"{}^{\text{#1}}",
    "textsubscript": r"{}_{\text{#1}}",
    "abs": r"|#1|",
    "norm": r"\|#1\|",
    "C": r"\mathbb{C}",
    "Q": r"\mathbb{Q}",
    "eps": r"\varepsilon",
    "veps": r"\varepsilon",
    "vareps": r"\varepsilon",
    "al": r"\alpha",
    "lam": r"\lambda",
    "gam": r"\gamma",
    "Gam": r"\Gamma",
    "Om": r"\Omega",
    "om": r"\omega",
    "vp": r"\varphi",
    "lsim": r"\lesssim",
    "gsim": r"\gtrsim",
    "lesim": r"\lesssim",
    "simlt": r"\lesssim",
    "simgt": r"\gtrsim",
    "ltsim": r"\lesssim",
    "gtsim": r"\gtrsim",
    "alt": r"\lesssim",
    "agt": r"\gtrsim",
    "ra": r"\rightarrow",
    "lra": r"\longrightarrow",
    "iy": r"\infty",
    "dotsc": r"\ldots",
    "dotsb": r"\cdots",
    "dotsm": r"\cdots",
    "dotso": r"\ldots",
    "reals": r"\mathbb{R}",
    "nats": r"\mathbb{N}",
    "polylog": r"\operatorname{polylog}",
    "poly": r"\operatorname{poly}",
    "hslash": r"\hbar",
    "scr": r"\mathscr{#1}",
    "AA": r"\mathrm{Å}",
    "/": "",
}

# In text without its dollars these words, which no language has, are mathematics wherever they stand.
NEVER_WORDS = word_set("""
    varepsilon varphi vartheta varrho varsigma mathcal mathbb mathfrak mathbf mathrm mathscr mathsf widetilde widehat
    overline leq geq neq infty rightarrow leftarrow subseteq supseteq propto otimes oplus cdot cdots ldots
    setminus ell sqrt
""")

# Words that take an argument when the backslash is lost.
TAKES_ARGUMENT = word_set("""
    mathcal mathbb mathfrak mathbf mathrm mathscr mathsf mathit boldsymbol bm widetilde widehat tilde hat bar
    overline underline vec dot ddot check breve sqrt frac dfrac tfrac binom text textrm mbox operatorname
    boldmath bf rm it cal tt sf
""")

# Commands that can be glued to their neighbours when the backslash is lost ("nepsilon", "dlog", "Omegabig").
GLUED = frozenset(
    [
        *(name for name in GREEK if len(name) > 3 or name in {"phi", "psi", "Phi", "Psi"}),
        *word_set("log sqrt times leq geq neq infty circ cdot ldots dots big Big left right nabla propto"),
        *word_set("mathcal mathbb mathfrak mathbf mathrm widetilde tilde"),
    ]
)
