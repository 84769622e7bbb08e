-- Take on a role until the transaction ends; no row where it is not there or not ours to take.
SELECT set_config('role', rolname, true)
FROM pg_roles
WHERE rolname = :role AND pg_has_role(session_user, rolname, 'MEMBER')
