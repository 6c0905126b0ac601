from django.db import migrations, models

from coursehub.mongo import outside_transaction


def say_it_by_a_boolean(apps, schema_editor):
    """Until now a negative `access_fence` said that the token was in doubt. May run twice."""
    in_doubt = {"access_unproven": True, "access_fence": {"$abs": "$access_fence"}}
    for table in ("oauthtokens_tokenset", "oauthtokens_client"):
        sets = outside_transaction(table)
        sets.update_many({"access_unproven": {"$exists": False}}, {"$set": {"access_unproven": False}})
        sets.update_many({"access_fence": {"$lt": 0}}, [{"$set": in_doubt}])


def say_it_by_the_sign(apps, schema_editor):
    for table in ("oauthtokens_tokenset", "oauthtokens_client"):
        negative = {"access_fence": {"$multiply": [-1, {"$abs": "$access_fence"}]}}
        outside_transaction(table).update_many({"access_unproven": True}, [{"$set": negative}])


class Migration(migrations.Migration):
    dependencies = [("oauthtokens", "0005_replaced_tokens")]

    operations = [
        migrations.AddField(
            model_name="tokenset",
            name="access_unproven",
            field=models.BooleanField(default=False, editable=False),
        ),
        migrations.RunPython(say_it_by_a_boolean, say_it_by_the_sign),
    ]
