-- What stood at the end of the period's last month; what is incomplete or carried forward says so.
INSERT INTO base (ref_id, division_id, value, share, note_zh)
SELECT
    need.ref_id,
    figure.division_id,
    figure.value,
    least(figure.units_reported::numeric / nullif(figure.units_expected, 0), 1),
    nullif(
        concat_ws(
            '；',
            CASE
                WHEN figure.units_reported < figure.units_expected
                    THEN format('%s仅%s/%s个单位报送', ref.label, figure.units_reported, figure.units_expected)
            END,
            CASE
                WHEN figure.carried_from IS NOT NULL
                    THEN format('%s沿用%s数据', ref.label, to_char(figure.carried_from, 'YYYY-MM-DD'))
            END
        ),
        ''
    )
FROM stocked AS figure
JOIN ref ON ref.stock_cell = figure.cell_id AND ref.kind = 'stock'
JOIN scope ON scope.division_id = figure.division_id
JOIN need ON need.ref_id = ref.ref_id AND need.depth = scope.depth
WHERE figure.value IS NOT NULL
