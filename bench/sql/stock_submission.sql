-- Each village says what it is asked for at the month's end.
INSERT INTO core.submission (
    stat_date, unit_id, platform_id, batch_id, dataset, revision, received_at, known_from, is_nil, cells, figures, row_numbers
)
SELECT
    %(day)s, scope.division_id, batch.platform_id, batch.batch_id, 'stocks', 1, now(), now(), false, owed.cells, owed.ones,
    owed.cells
FROM bench_scope AS scope
CROSS JOIN (SELECT batch_id, platform_id FROM landing.batch ORDER BY batch_id LIMIT 1) AS batch
JOIN (
    SELECT
        CASE WHEN measure.measure IN ('population', 'town_without_law_office') THEN 'township' ELSE 'village' END AS level,
        array_agg(cell.cell_id ORDER BY cell.cell_id) AS cells,
        array_agg(1::bigint) AS ones
    FROM core.measure
    JOIN core.cell ON cell.measure_id = measure.measure_id
    WHERE measure.measure IN (
        'platform_built', 'platform_standardised', 'village_with_counsel', 'law_savvy_person', 'rule_of_law_leader',
        'culture_site', 'mediation_committee', 'mediation_committee_standardised', 'demo_village_district',
        'demo_village_city', 'demo_village_province', 'demo_village_national', 'population', 'town_without_law_office'
    )
    GROUP BY 1
) AS owed ON owed.level = scope.level
