CREATE FUNCTION public.handle_new_user() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = '' AS $$ BEGIN INSERT INTO public.audit (said) VALUES (new.email); RETURN new; END; $$;
CREATE TRIGGER on_user AFTER INSERT ON users FOR EACH ROW EXECUTE PROCEDURE public.handle_new_user();
