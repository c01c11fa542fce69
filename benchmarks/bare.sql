-- What W7 is compared with: the same server over a copy of the tree without the indexes, counters and roll-ups that
-- reading at national size needs. The generated columns stay: the server's statements name them.

drop trigger note_insert on trade_union;
drop trigger note_update on trade_union;
drop trigger note_delete on trade_union;
drop trigger note_insert on registration;
drop trigger note_update on registration;
drop trigger note_delete on registration;
drop table tally, tally_change;

drop index ix_trade_union_top, ix_trade_union_search, ix_trade_union_employer_uscc;
do $$
begin
    for depth in 0 .. 15 loop
        execute format('drop index ix_registration_queue_%s', depth);
    end loop;
end $$;
