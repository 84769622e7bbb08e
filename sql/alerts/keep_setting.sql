INSERT INTO quality.alert_setting (setting, value)
VALUES ('profile_days', :profile_days)
ON CONFLICT (setting) DO UPDATE SET value = excluded.value
WHERE alert_setting.value <> excluded.value
