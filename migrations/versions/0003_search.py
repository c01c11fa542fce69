"""Finding unions by what they are called, and those that a registration may repeat.

Safe while the old server runs: it adds functions and indexes. Each index is built under a lock that lets readers
on and keeps writers of unions waiting; with 2.8 million unions that is some minutes, so stop the writers first.
"""

from alembic import op

revision = "0003"
down_revision = "0002"

# What a union is found by (models/search.py has the twin for what is looked for): the letters of its names, present
# and former, one by one and in pairs, but for those that nearly all names have; its kind, level and divisions; how its
# credit code starts. The marks are longer than two letters, so none is taken for letters of a name.
# It calls nothing of ours: a restored dump builds the index with an empty search path.
SEARCH_KEYS = """
create function union_search_keys(name text, former text[], uscc text, kind text, region text, level int)
returns text[] language plpgsql immutable parallel safe cost 100 as $$
declare
    keys text[] := array[
        'kind:' || kind, 'level:' || level, 'at:' || left(region, 2), 'at:' || left(region, 4), 'at:' || region
    ];
    letters text[];
    given text;
    pair text;
begin
    foreach given in array name || former loop
        -- The present name comes folded (models/text.py); to a name that is folded this does nothing.
        if given is distinct from name then
            given := regexp_replace(normalize(lower(normalize(given, nfkc)), nfkc), '\\s', '', 'g');
        end if;
        letters := string_to_array(given, null);
        for place in 1 .. cardinality(letters) loop
            if letters[place] <> all ('{工,会,有,限,公,司,委,员}') then
                keys := keys || letters[place];
            end if;
            pair := letters[place] || letters[place + 1];
            if pair <> all ('{工会,有限,限公,公司,司工,会委,委员,员会}') then
                keys := keys || pair;
            end if;
        end loop;
    end loop;
    for length in 4 .. case when uscc is null then 0 else 8 end loop
        keys := keys || ('code:' || left(uscc, length));
    end loop;
    return keys;
end $$
"""

# A name as a key, for names that are stored as they were typed. Python's fold() differs from it in letters whose
# case folding is not their small letter (ß, ς).
FOLDED = """
create function folded(name text) returns text language sql immutable strict parallel safe
return regexp_replace(normalize(lower(normalize(name, nfkc)), nfkc), '\\s', '', 'g')
"""

# The words for a division in a name: for 广东省, 深圳市 and 南山区, each with and without its last word.
PLACE_WORDS = """
create function place_words(divisions text[]) returns text[] language sql immutable strict parallel safe
return array(
    select word from (
        select name as word from unnest(divisions) name
        union
        select regexp_replace(name, '(特别行政区|自治区|自治州|自治县|自治旗|新区|省|市|区|县|盟|旗)$', '')
        from unnest(divisions) name
    ) words
    where char_length(word) >= 2
    order by word
)
"""

# Each two neighbouring letters of what tells a name from others around it: without its places, the words of every
# union and every company, and punctuation. Where that leaves less than two letters, of the name itself.
DISTINCTIVE_PAIRS = """
create function distinctive_pairs(name text, places text[]) returns text[]
language plpgsql immutable strict parallel safe as $$
declare
    core text := regexp_replace(
        name,
        concat_ws('|', nullif(array_to_string(places, '|'), ''),
            '工会委员会|工会联合会|联合工会|总工会|工会|委员会|联合会',
            '股份有限公司|有限责任公司|有限公司|股份公司|集团公司|分公司|公司|集团|股份',
            '[][(){}<>《》【】〔〕·•,.，。、:;"“”''‘’/&_-]'),
        '', 'g'
    );
    letters text[] := string_to_array(case when char_length(core) < 2 then name else core end, null);
    pairs text[] := '{}';
    pair text;
begin
    for place in 1 .. cardinality(letters) - 1 loop
        pair := letters[place] || letters[place + 1];
        if pair <> all (pairs) then
            pairs := pairs || pair;
        end if;
    end loop;
    return pairs;
end $$
"""

# Sørensen-Dice: twice what two sets have in common, by what both have together. 0 for two empty ones.
SET_SIMILARITY = """
create function set_similarity(pairs text[], others text[]) returns real
language plpgsql immutable strict parallel safe as $$
declare
    shared int := 0;
begin
    for place in 1 .. cardinality(pairs) loop
        if pairs[place] = any (others) then
            shared := shared + 1;
        end if;
    end loop;
    return coalesce(2.0 * shared / nullif(cardinality(pairs) + cardinality(others), 0), 0);
end $$
"""

FUNCTIONS = {
    "union_search_keys(text, text[], text, text, text, int)": SEARCH_KEYS,
    "folded(text)": FOLDED,
    "place_words(text[])": PLACE_WORDS,
    "distinctive_pairs(text, text[])": DISTINCTIVE_PAIRS,
    "set_similarity(text[], text[])": SET_SIMILARITY,
}


def upgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    for body in FUNCTIONS.values():
        op.execute(body)
    op.execute(
        "create index ix_trade_union_search on trade_union using gin ("
        "union_search_keys(name_key, former_names, uscc, kind, region_code, nlevel(path)), trim_array(ancestors, 1))"
    )
    op.create_index("ix_trade_union_employer_uscc", "trade_union", ["employer_uscc"])
    # Takes over from the index on region_code alone, which a foreign key wants.
    op.create_index("ix_trade_union_region_code_employer_name", "trade_union", ["region_code", "employer_name"])
    op.drop_index("ix_trade_union_region_code", "trade_union")


def downgrade() -> None:
    op.execute("set local lock_timeout = '2s'")
    op.create_index("ix_trade_union_region_code", "trade_union", ["region_code"])
    for name in ("search", "employer_uscc", "region_code_employer_name"):
        op.drop_index(f"ix_trade_union_{name}", "trade_union")
    for signature in FUNCTIONS:
        op.execute(f"drop function {signature}")
