-- Newer servers keep statistics of every column by default (`auto_statistics_types`), for the order of joins and conditions.
-- Nothing asks these tables so, and for them it is 6 to 14 % of every merge. Older servers don't know the setting.

-- only where auto_statistics_types is a setting
ALTER TABLE {{database}}.events_{{local}} {{on_cluster}} MODIFY SETTING auto_statistics_types = '';

-- only where auto_statistics_types is a setting
ALTER TABLE {{database}}.device_events_{{local}} {{on_cluster}} MODIFY SETTING auto_statistics_types = '';

-- only where auto_statistics_types is a setting
ALTER TABLE {{database}}.legs_{{local}} {{on_cluster}} MODIFY SETTING auto_statistics_types = '';

-- only where auto_statistics_types is a setting
ALTER TABLE {{database}}.calls_{{local}} {{on_cluster}} MODIFY SETTING auto_statistics_types = '';
